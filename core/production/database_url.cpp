#include "core/production/database_url.hpp"

#include "core/production/config_values.hpp"
#include "core/protocol/http.hpp"

namespace holdfast::production {
namespace {

bool is_percent_encoded(std::string_view url) {
  for (std::size_t i = url.find('%'); i != std::string_view::npos; i = url.find('%', i + 1))
    if (protocol::percent_decoded(url.substr(i)).value_or('\0') == '\0') return false;
  return true;
}

/// Percent-decoding alone: '+' is no blank in these parts of a URL. REQUIRES: is_percent_encoded().
std::string decode(std::string_view text) {
  std::string result;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      result += text[i];
      continue;
    }
    result += protocol::percent_decoded(text.substr(i)).value_or('%');
    i += 2;
  }
  return result;
}

bool is_blank(std::string_view text) {
  return text.find_first_not_of(" \t") == std::string_view::npos;
}

Result<void> check_parameters(std::string_view query, DatabaseAddress& address) {
  std::string& sslmode = address.sslmode;
  protocol::Request form;
  protocol::parse_target("/?" + std::string(query), form);
  for (const auto& [name, value] : form.query) {
    if (name == "replication")
      return fail(
          "unsupported \"replication\" query option. Holdfast opens both a replication connection "
          "and regular connections to Postgres as needed");
    if (name == "sslmode")
      sslmode = value;
    else
      address.ignored_parameters.push_back(name);
  }
  if (sslmode == "verify-ca" || sslmode == "verify-full")
    return fail("unsupported \"sslmode\" value \"" + sslmode +
                "\". Use sslmode=require and set ELECTRIC_DATABASE_CA_CERTIFICATE_FILE to have the "
                "database server's identity verified");
  for (const char* accepted : {"", "disable", "allow", "prefer", "require"})
    if (sslmode == accepted) return {};
  return fail("invalid \"sslmode\" value: \"" + sslmode +
              "\". Must be one of disable, allow, prefer, require");
}

}  // namespace

std::string DatabaseAddress::to_string() const {
  const bool literal_v6 = host.find(':') != std::string::npos;
  return user + "@" + (literal_v6 ? "[" + host + "]" : host) + ":" + std::to_string(port) + "/" +
         database;
}

Result<DatabaseAddress> parse_database_url(std::string_view url) {
  DatabaseAddress address;
  const std::size_t scheme_end = url.find("://");
  const std::string_view scheme =
      scheme_end == std::string_view::npos ? std::string_view() : url.substr(0, scheme_end);
  if (scheme != "postgres" && scheme != "postgresql")
    return fail("invalid URL scheme: \"" + std::string(scheme) +
                "\". The URL has the form postgresql://user:password@host:port/database");

  // libpq would refuse these, and repeat the password.
  if (!is_percent_encoded(url))
    return fail(
        "a % that is not followed by two hexadecimal digits (a "
        "% that means itself is written %25), or %00");
  std::string_view rest = url.substr(scheme_end + 3);
  std::string_view query;
  if (const std::size_t mark = rest.find('?'); mark != std::string_view::npos) {
    query = rest.substr(mark + 1);
    rest = rest.substr(0, mark);
  }
  std::string_view path;
  if (const std::size_t slash = rest.find('/'); slash != std::string_view::npos) {
    path = rest.substr(slash + 1);
    rest = rest.substr(0, slash);
  }
  const std::size_t at = rest.find('@');
  if (at != rest.rfind('@'))
    return fail("more than one @ before the host. An @ inside the password is written %40");
  const std::string_view user_info =
      at == std::string_view::npos ? std::string_view() : rest.substr(0, at);
  std::string_view host = at == std::string_view::npos ? rest : rest.substr(at + 1);

  std::string_view port;
  if (host.starts_with('[')) {
    const std::size_t end = host.find(']');
    if (end == std::string_view::npos) return fail("missing host");
    if (host.substr(end + 1).starts_with(':')) port = host.substr(end + 2);
    host = host.substr(1, end - 1);
  } else if (const std::size_t colon = host.rfind(':'); colon != std::string_view::npos) {
    port = host.substr(colon + 1);
    host = host.substr(0, colon);
  }
  if (is_blank(host)) return fail("missing host");
  address.host = host;

  const std::size_t colon = user_info.find(':');
  address.user = decode(user_info.substr(0, colon));
  const bool second_colon =
      colon != std::string_view::npos && user_info.find(':', colon + 1) != std::string_view::npos;
  if (is_blank(address.user) || second_colon)
    return fail("invalid or missing username. A colon inside the password is written %3A");
  if (!port.empty()) {
    const auto number = parse_integer(port, 1, 65535);
    if (!number.ok()) return fail("invalid port: it " + number.error().message);
    address.port = static_cast<std::uint16_t>(*number);
  }
  address.database = path.empty() ? address.user : decode(path);
  const auto checked = check_parameters(query, address);
  if (!checked.ok()) return checked.failure();
  return address;
}

}  // namespace holdfast::production
