// What the oracle objects to: which property, and what it saw. Values.
#pragma once

#include <string>
#include <vector>

#include "core/base/time.hpp"

namespace holdfast::oracle {

/// The properties, by the invariant of engine.md §6 they stand for. A verdict is one of these
/// names.
namespace property {
inline constexpr const char* log_order = "I-1 offsets_increase";
inline constexpr const char* record_constant = "I-2 record_constant";
inline constexpr const char* row_legality = "I-3 insert_absent_update_present";
inline constexpr const char* view_equals_query = "I-5 view_equals_query";
inline constexpr const char* transaction_whole = "I-6 transaction_whole";
inline constexpr const char* last_once = "I-7 last_marks_the_end";
inline constexpr const char* chunk_constant = "I-9 chunk_constant";
inline constexpr const char* chunk_rule = "I-9 chunk_rule";
inline constexpr const char* row_content = "I-10 row_content";
inline constexpr const char* membership_forward = "I-29 membership_never_goes_back";
inline constexpr const char* tags_true = "I-32 tags_and_conditions";
inline constexpr const char* moves_legal = "I-36 moves_legal";
inline constexpr const char* handle_unique = "I-42 handle_means_one_definition";
inline constexpr const char* removal_final = "I-43 removal_final";
inline constexpr const char* request_ends = "I-50 request_ends";
inline constexpr const char* expiry_order = "LC-2 least_recently_read_expires";
inline constexpr const char* spurious_conflict = "I-55 spurious_conflict";
inline constexpr const char* out_of_bounds = "I-56 served_offset_out_of_bounds";
inline constexpr const char* server_error = "I-57 server_error";
inline constexpr const char* marker_honest = "I-58 marker_honest";
inline constexpr const char* publication_leaves = "I-62 publication_leaves";
inline constexpr const char* schema_kept = "I-63 schema_change_ends_shape";
inline constexpr const char* protocol = "protocol";
inline constexpr const char* answer_form = "protocol_answer_form";
inline constexpr const char* tags_form = "protocol_tags";
inline constexpr const char* convergence = "liveness_convergence";
inline constexpr const char* promptness = "liveness_promptness";
inline constexpr const char* confirmation = "I-23 confirmation_reaches_the_end";
}  // namespace property

struct Violation {
  std::string property;
  std::string what;    ///< one sentence, with the values that differ
  std::string client;  ///< empty: no client's
  Instant at;
};

}  // namespace holdfast::oracle
