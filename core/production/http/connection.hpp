// One client connection: reads requests one after the other, hands each to the handler, writes the
// answers. Confined to its lane's thread. While a request waits for its answer nothing is kept but
// the socket and this object, and the socket is watched so that a client's leaving is noticed.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "core/production/http/lane.hpp"
#include "core/production/http/output_queue.hpp"
#include "core/production/http/request_reader.hpp"
#include "core/production/http/response_head.hpp"

namespace holdfast::production::http {

using Socket =
    boost::asio::basic_stream_socket<boost::asio::ip::tcp, boost::asio::io_context::executor_type>;

/// What responders share with the connection: one request and whether it was answered.
class Exchange {
 public:
  Exchange(std::shared_ptr<Lane> lane, std::weak_ptr<Connection> connection, std::uint64_t number);
  ~Exchange();

  void respond(protocol::Response response);
  void start(protocol::Response head);
  void write(std::string part);
  void finish();
  void abort();
  void on_disconnect(std::function<void()> gone);
  /// The connection's side: the client shut down its side or the connection broke.
  void client_left();

 private:
  enum class State { open, streaming, answered };
  /// Moves from one of the states to another; false: the exchange was in none of them.
  bool move_to(State from, State to);
  /// Runs `task` on the connection, if it still lives and still serves this exchange.
  void on_connection(std::function<void(Connection&)> task);

  const std::shared_ptr<Lane> lane_;
  const std::weak_ptr<Connection> connection_;
  const std::uint64_t number_;
  std::mutex mutex_;
  State state_ = State::open;
  bool left_ = false;
  std::function<void()> gone_;
};

class Connection : public std::enable_shared_from_this<Connection> {
 public:
  Connection(std::shared_ptr<Lane> lane, Socket socket);
  ~Connection();

  void start(Lane::Connections::iterator place);
  void drain();
  void close();
  void check_deadline(std::chrono::steady_clock::time_point now);

  /// Is this still the exchange that waits for its answer?
  bool serves(std::uint64_t exchange) const;
  void respond(protocol::Response response);
  void start_stream(protocol::Response head);
  void write_part(std::string part);
  void finish_stream();
  /// Nobody will answer: 500, or a cut connection if the head was sent.
  void abandon();
  void abort();

 private:
  enum class Phase {
    idle,       ///< between requests; no buffers
    reading,    ///< a request has begun to arrive
    handling,   ///< the handler has it
    sending,    ///< a whole response, or the last of a streamed one, is on its way
    streaming,  ///< a streamed response that may grow
    lingering,  ///< all is sent; waiting for the client to close
    closed,
  };

  void watch();
  void on_readable();
  enum class Received { bytes, nothing, end, broken };
  Received receive();
  void process_input();
  void on_end_of_stream();
  void begin_request();
  void begin_reading();
  void discard_input();
  void refuse(int status, const std::string& message);
  void send_head(const protocol::Response& response, Framing framing);
  void queue(std::string bytes);
  void flush();
  void await_room();
  void spill_if_slow(std::chrono::steady_clock::time_point now);
  void count_held();
  void answered();
  void on_sent();
  void next_request();
  void linger();
  void set_deadline(std::chrono::milliseconds limit);

  std::shared_ptr<Lane> lane_;
  Socket socket_;
  Lane::Connections::iterator place_;
  Phase phase_ = Phase::idle;
  bool watching_ = false;         ///< a wait for readability is under way
  bool writing_ = false;          ///< a wait for writability is under way
  bool close_after_ = false;      ///< the response being sent is the connection's last
  bool head_only_ = false;        ///< the request was a HEAD
  bool client_chunks_ = true;     ///< the client understands chunked bodies
  bool client_finished_ = false;  ///< it has shut down its side
  unsigned served_ = 0;
  std::uint64_t exchange_number_ = 0;
  std::chrono::steady_clock::time_point deadline_;
  std::unique_ptr<RequestReader> reader_;
  std::weak_ptr<Exchange> exchange_;
  std::string input_;  ///< bytes received and not yet consumed
  OutputQueue output_;
  std::size_t counted_bytes_ = 0;  ///< of output_, in Shared::held_bytes
  std::chrono::steady_clock::time_point spill_at_;
  std::size_t discarded_ = 0;
  Framing framing_ = Framing::length;
};

}  // namespace holdfast::production::http
