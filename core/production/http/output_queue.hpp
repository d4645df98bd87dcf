// The bytes of an answer that its client has still to take, in order. What a slow client leaves
// waiting moves to a file without a name, so that it costs one piece of memory instead of an answer
// (known-failures.md R138). Confined to its lane's thread.
#pragma once

#include <boost/asio/buffer.hpp>
#include <cstdint>
#include <deque>
#include <span>
#include <string>

#include "core/base/result.hpp"

namespace holdfast::production::http {

class OutputQueue {
 public:
  /// Of what waits in the file so much is in memory at a time.
  static constexpr std::size_t k_piece_bytes = 256 * 1024;

  OutputQueue() = default;
  ~OutputQueue() { clear(); }
  OutputQueue(const OutputQueue&) = delete;
  OutputQueue& operator=(const OutputQueue&) = delete;

  bool empty() const { return held_ == 0 && !in_file(); }
  /// Bytes to be sent that are in memory.
  std::size_t held() const { return held_; }
  bool in_file() const { return file_ >= 0; }

  /// REQUIRES: nothing waits in a file.
  void push(std::string bytes);
  /// Moves everything to a file in `directory` that goes with this queue, or with the process. The
  /// error says what the system refused; nothing has changed then.
  Result<void> spill(const std::string& directory);
  /// Fills in what is to be sent next and returns how many buffers that are; 0: the file cannot be
  /// read. REQUIRES: not empty.
  std::size_t next(std::span<boost::asio::const_buffer> buffers);
  /// So many bytes of what next() gave were taken.
  void sent(std::size_t bytes);
  /// Forgets everything, memory and file.
  void clear();

 private:
  bool load_piece();
  void close_file();

  std::deque<std::string> parts_;
  std::size_t sent_of_front_ = 0;
  std::size_t held_ = 0;
  int file_ = -1;
  std::uint64_t file_at_ = 0;
  std::uint64_t file_end_ = 0;
};

}  // namespace holdfast::production::http
