// The stored form of input that waits for its shape (quarantine, design.md §7): one entry a
// transaction or fragment, in the order of the stream by key. What comes twice, since a start
// replays it, takes the place of its first copy or adds nothing to the log.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "core/stack/log/delivery.hpp"

namespace holdfast::stack {

/// By commit position, then by first change.
std::string key_of_input(const DeliveredTransaction& delivered);
/// The commit position in a key. 0: not one of ours.
postgres::Lsn commit_of_key(std::string_view key);

/// Only what concerns the shape; the relation with each change of it.
std::string bytes_of_input(const DeliveredTransaction& delivered);
/// Changes are numbered anew. nullopt: the bytes are damaged.
std::optional<DeliveredTransaction> input_of_bytes(std::string_view bytes);

}  // namespace holdfast::stack
