#include "core/production/http/output_queue.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <string_view>
#include <utility>

#include "core/base/assert.hpp"

namespace holdfast::production::http {
namespace {

/// An open file that no name leads to. -1: errno says why not.
int open_unnamed(const std::string& directory) {
  const int file = ::open(directory.c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
  if (file >= 0 || (errno != EOPNOTSUPP && errno != EISDIR)) return file;
  std::string path = directory + "/answer-XXXXXX";  // a file system without such files
  const int named = ::mkostemp(path.data(), O_CLOEXEC);
  if (named >= 0) ::unlink(path.c_str());
  return named;
}

bool write_all(int file, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t count = ::write(file, bytes.data(), bytes.size());
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(count));
  }
  return true;
}

}  // namespace

void OutputQueue::push(std::string bytes) {
  ASSERT(!in_file(), "an answer is whole before it may wait in a file");
  if (bytes.empty()) return;
  held_ += bytes.size();
  parts_.push_back(std::move(bytes));
}

Result<void> OutputQueue::spill(const std::string& directory) {
  ASSERT(!in_file(), "what waits in a file is not moved to another");
  const int file = open_unnamed(directory);
  bool written = file >= 0;
  std::size_t skip = sent_of_front_;
  for (auto part = parts_.begin(); written && part != parts_.end(); ++part, skip = 0)
    written = write_all(file, std::string_view(*part).substr(skip));
  if (!written) {
    const std::string reason = std::strerror(errno);
    if (file >= 0) ::close(file);
    return fail("a slow client's answer cannot wait in " + directory + ": " + reason);
  }
  const std::size_t size = held_;
  clear();
  file_ = file;
  file_end_ = size;
  return {};
}

bool OutputQueue::load_piece() {
  const auto left = static_cast<std::size_t>(file_end_ - file_at_);
  std::string piece(std::min(left, k_piece_bytes), '\0');
  for (std::size_t have = 0; have < piece.size();) {
    const ssize_t count = ::pread(file_, piece.data() + have, piece.size() - have,
                                  static_cast<off_t>(file_at_ + have));
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return false;
    have += static_cast<std::size_t>(count);
  }
  file_at_ += piece.size();
  if (file_at_ == file_end_) close_file();
  held_ += piece.size();
  parts_.push_back(std::move(piece));
  return true;
}

std::size_t OutputQueue::next(std::span<boost::asio::const_buffer> buffers) {
  ASSERT(!empty(), "who asks for bytes has some to send");
  if (parts_.empty() && !load_piece()) return 0;
  std::size_t count = 0;
  std::size_t skip = sent_of_front_;
  for (auto part = parts_.begin(); part != parts_.end() && count < buffers.size(); ++part, skip = 0)
    buffers[count++] = boost::asio::buffer(part->data() + skip, part->size() - skip);
  return count;
}

void OutputQueue::sent(std::size_t bytes) {
  held_ -= bytes;
  for (; bytes > 0 && bytes >= parts_.front().size() - sent_of_front_; sent_of_front_ = 0) {
    bytes -= parts_.front().size() - sent_of_front_;
    parts_.pop_front();
  }
  sent_of_front_ += bytes;
}

void OutputQueue::clear() {
  std::deque<std::string>().swap(parts_);
  sent_of_front_ = 0;
  held_ = 0;
  close_file();
}

void OutputQueue::close_file() {
  if (file_ >= 0) ::close(file_);
  file_ = -1;
  file_at_ = 0;
  file_end_ = 0;
}

}  // namespace holdfast::production::http
