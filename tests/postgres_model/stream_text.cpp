#include "tests/postgres_model/stream_text.hpp"

#include <stdexcept>

namespace holdfast::test {
namespace {

class Reader {
 public:
  explicit Reader(const std::string& bytes) : bytes_(bytes) {}

  std::uint64_t number(int bytes) {
    std::uint64_t value = 0;
    for (int i = 0; i < bytes; ++i) value = (value << 8U) | byte();
    return value;
  }
  char tag() { return static_cast<char>(byte()); }
  std::string name() {
    std::string text;
    while (const std::uint8_t c = byte()) text.push_back(static_cast<char>(c));
    return text;
  }
  std::string raw(std::size_t size) {
    std::string text;
    for (std::size_t i = 0; i < size; ++i) text.push_back(tag());
    return text;
  }
  std::string tuple() {
    std::string text = "(";
    const std::uint64_t columns = number(2);
    for (std::uint64_t i = 0; i < columns; ++i) {
      if (i > 0) text += ",";
      const char kind = tag();
      if (kind == 't')
        text += "'" + raw(number(4)) + "'";
      else
        text += kind == 'n' ? "NULL" : std::string("<") + kind + ">";
    }
    return text + ")";
  }
  bool at_end() const { return at_ == bytes_.size(); }
  char peek() const { return bytes_.at(at_); }

 private:
  std::uint8_t byte() {
    if (at_ >= bytes_.size()) throw std::runtime_error("a message ends too early");
    return static_cast<std::uint8_t>(bytes_[at_++]);
  }

  const std::string& bytes_;
  std::size_t at_ = 0;
};

}  // namespace

void StreamTeller::tell(const std::string& copy_data) {
  Reader in(copy_data);
  const char outer = in.tag();
  if (outer == 'k') {
    keepalives.push_back(in.number(8));
    in.number(8);
    reply_requested.push_back(in.number(1) != 0);
    return;
  }
  if (outer != 'w') throw std::runtime_error("neither data nor keepalive");
  for (int i = 0; i < 3; ++i) in.number(8);
  const char tag = in.tag();
  switch (tag) {
    case 'B':
      final_lsns.push_back(in.number(8));
      in.number(8);
      xids.push_back(static_cast<std::uint32_t>(in.number(4)));
      lines.emplace_back("B");
      break;
    case 'C': {
      in.number(1);
      if (in.number(8) != final_lsns.back()) throw std::runtime_error("B and C disagree");
      end_lsns.push_back(in.number(8));
      in.number(8);
      lines.emplace_back("C");
      break;
    }
    case 'R': {
      const auto oid = static_cast<std::uint32_t>(in.number(4));
      const std::string schema = in.name();
      const std::string table = in.name();
      std::string text = schema + "." + table + " " + in.tag();
      const std::uint64_t columns = in.number(2);
      for (std::uint64_t i = 0; i < columns; ++i) {
        const bool key = in.number(1) != 0;
        text += " " + in.name() + (key ? "*" : "");
        text += ":" + std::to_string(in.number(4));
        text += "/" + std::to_string(static_cast<std::int32_t>(in.number(4)));
      }
      known_[oid] = {schema + "." + table};
      relations.push_back(text);
      break;
    }
    case 'I':
    case 'U':
    case 'D': {
      const auto oid = static_cast<std::uint32_t>(in.number(4));
      std::string text = std::string(1, tag) + " " + known_.at(oid).name;
      while (!in.at_end()) {
        text += std::string(" ") + in.tag();
        text += in.tuple();
      }
      lines.push_back(text);
      break;
    }
    case 'T': {
      const std::uint64_t count = in.number(4);
      std::string text = "T " + std::to_string(in.number(1));
      for (std::uint64_t i = 0; i < count; ++i)
        text += " " + known_.at(static_cast<std::uint32_t>(in.number(4))).name;
      lines.push_back(text);
      break;
    }
    default:
      throw std::runtime_error(std::string("unexpected message ") + tag);
  }
  if (!in.at_end()) throw std::runtime_error("a message has bytes left");
}

}  // namespace holdfast::test
