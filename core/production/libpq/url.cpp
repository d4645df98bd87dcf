#include "core/production/libpq/url.hpp"

namespace holdfast::production {

std::string libpq_url(std::string_view url) {
  if (!url.starts_with("postgres://") && !url.starts_with("postgresql://")) return std::string(url);
  const std::size_t question = url.find('?');
  std::string out(url.substr(0, question));
  if (question == std::string_view::npos) return out;
  std::string_view rest = url.substr(question + 1);
  std::string_view sslmode;
  while (!rest.empty()) {
    const std::size_t end = rest.find('&');
    const std::string_view parameter = rest.substr(0, end);
    if (parameter.starts_with("sslmode=")) sslmode = parameter.substr(8);
    rest = end == std::string_view::npos ? std::string_view() : rest.substr(end + 1);
  }
  if (sslmode == "allow") sslmode = "prefer";
  if (!sslmode.empty()) out += "?sslmode=" + std::string(sslmode);
  return out;
}

}  // namespace holdfast::production
