# Run at each build: writes which commit the sources are of, as a C string, if it has changed.
execute_process(
  COMMAND git -C ${SOURCES} describe --always --dirty=+
  OUTPUT_VARIABLE commit OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET RESULT_VARIABLE failed)
if(failed)
  set(commit "unknown")
endif()
file(CONFIGURE OUTPUT ${TARGET} CONTENT "\"${commit}\"\n")
