#include "core/production/certificate_file.hpp"

#include <fstream>

namespace holdfast::production {
namespace {

/// The bundles of whole systems are below 1 MiB.
constexpr std::size_t k_bytes_max = 16U << 20;

std::string content_of(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::string text(k_bytes_max, '\0');
  file.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<std::size_t>(file.gcount()));
  return text;
}

ConfigError wrong(const std::string& path, const std::string& why) {
  return {"ELECTRIC_DATABASE_CA_CERTIFICATE_FILE",
          "must name a file of certificates in PEM form, and \"" + path + "\" " + why};
}

}  // namespace

std::optional<ConfigError> wrong_ca_certificate(const Config& config) {
  const std::string& path = config.ca_certificate_file;
  if (path.empty()) return std::nullopt;
  const std::string text = content_of(path);
  if (text.empty()) return wrong(path, "is not there, cannot be read or is empty");
  if (text.find("-----BEGIN ") == std::string::npos ||
      text.find("CERTIFICATE-----") == std::string::npos)
    return wrong(path, "holds none");
  return std::nullopt;
}

}  // namespace holdfast::production
