// Whether the file that is to verify the database server can do so at all. Looked at once, before
// anything listens: libpq would only say it at each attempt to connect. Reads the file.
#pragma once

#include <optional>

#include "core/production/config.hpp"

namespace holdfast::production {

/// nullopt: none is asked for, or it holds a certificate in PEM form.
std::optional<ConfigError> wrong_ca_certificate(const Config& config);

}  // namespace holdfast::production
