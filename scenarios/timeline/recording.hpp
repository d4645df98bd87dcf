// What one run did, for whoever draws it: lanes, steps, messages, tables, disk syncs, transactions,
// requests and violations. Values; texts that repeat are numbers into `texts`. Steps are the run's
// step numbers throughout.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/base/time.hpp"

namespace holdfast::scenarios::timeline {

/// Not yet, or never.
inline constexpr std::uint64_t k_no_step = ~std::uint64_t{0};
inline constexpr std::uint32_t k_no_lane = ~std::uint32_t{0};

enum class LaneKind : std::uint8_t { process, worker, world };

/// A process, an I/O worker, or a part of the world whose steps are outside processes.
struct Lane {
  std::string path = {};
  LaneKind kind = LaneKind::process;
  std::uint64_t born = 0;
  std::uint64_t died = k_no_step;
  std::string reason = {};  ///< why it ended
};

struct Step {
  std::uint32_t lane = k_no_lane;  ///< none: this number was drawn, but no step was taken
  std::uint32_t label = 0;
  Instant at;
  bool decided = false;  ///< the schedule chose otherwise than FIFO
};

enum class ArrowKind : std::uint8_t {
  cast,
  call,
  reply,
  failure,  ///< of a call or a start: its callee is gone
  exit,     ///< an exit signal, a Down, a kill
  spawn,
  wake,  ///< any other cause why a lane goes on: a job done, an answer, a change noticed
  read,  ///< of an owned table, from the step that wrote it last
};

struct Arrow {
  ArrowKind kind = ArrowKind::cast;
  std::uint32_t label = 0;
  std::uint32_t from_lane = k_no_lane;  ///< none: from between two steps
  std::uint64_t from_step = 0;
  std::uint32_t to_lane = 0;
  std::uint64_t to_step = k_no_step;  ///< that takes it up; none: it never was
};

struct Table {
  std::string name = {};
  std::uint32_t owner = k_no_lane;
  std::uint64_t written = 0;  ///< last
  std::uint64_t made = 0;
  std::uint64_t opened = k_no_step;  ///< from here on readers see it
  std::uint64_t ended = k_no_step;
};

/// A sync, or any operation that failed.
struct DiskEvent {
  std::uint64_t step = 0;
  std::uint32_t lane = k_no_lane;
  std::uint64_t instance = 0;
  std::uint32_t what = 0;
  bool failed = false;
};

struct Transaction {
  std::uint64_t xid = 0;
  std::uint64_t lsn = 0;
  std::uint64_t begun = 0;
  std::uint64_t logged = k_no_step;   ///< its commit record is written
  std::uint64_t flushed = k_no_step;  ///< … and on the server's disk
  std::uint64_t shown = k_no_step;    ///< snapshots see it
  std::uint64_t ended = k_no_step;    ///< rolled back, or lost in a crash
  std::uint32_t lane = k_no_lane;
  std::string statements = {};
};

/// The position that the engine confirmed to the server.
struct Confirmed {
  std::uint64_t step = 0;
  std::uint64_t lsn = 0;
};

struct Request {
  std::uint32_t lane = 0;
  std::uint32_t shape = 0;
  std::uint64_t sent = 0;
  std::uint64_t answered = k_no_step;
  std::string asked = {};
  int status = 0;  ///< 0: the connection broke
  std::uint32_t handle = 0;
  std::string offset = {};
  std::string body = {};  ///< its beginning
  bool up_to_date = false;
};

struct Note {
  std::uint64_t step = 0;
  std::uint32_t lane = k_no_lane;
  std::uint32_t text = 0;
};

struct Recording {
  std::vector<std::string> texts;  ///< [0] is empty
  std::vector<Lane> lanes;
  std::vector<Step> steps;  ///< [i]: step i
  std::vector<Arrow> arrows;
  std::vector<Table> tables;
  std::vector<DiskEvent> disk;
  std::vector<Transaction> transactions;
  std::vector<Confirmed> confirmed;
  std::vector<Request> requests;
  std::vector<Note> notes;
  std::vector<Note> violations;  ///< in the order of the report's; the text is the property
};

}  // namespace holdfast::scenarios::timeline
