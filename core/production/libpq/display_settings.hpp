// The five settings that decide how values are printed (postgres.md §8.2). The replication session
// and every snapshot use the same, or one row would have two texts and thus two keys.
#pragma once

namespace holdfast::production {

struct DisplaySetting {
  const char* name;
  const char* value;
};

inline constexpr DisplaySetting k_display_settings[] = {
    {"bytea_output", "hex"},     {"DateStyle", "ISO, DMY"},     {"TimeZone", "UTC"},
    {"extra_float_digits", "1"}, {"IntervalStyle", "iso_8601"},
};

}  // namespace holdfast::production
