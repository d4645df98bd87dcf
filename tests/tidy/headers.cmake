# Every header compiles on its own. A header with a source of its name is included first by that source
# (a rule of tests/tidy), which proves it; the others get a source here that includes nothing else,
# twice, so that a missing `#pragma once` shows too. Ninja compiles again only what changed.
file(GLOB_RECURSE headers CONFIGURE_DEPENDS RELATIVE ${CMAKE_SOURCE_DIR}
  ${CMAKE_SOURCE_DIR}/core/*.hpp ${CMAKE_SOURCE_DIR}/oracle/*.hpp
  ${CMAKE_SOURCE_DIR}/scenarios/*.hpp ${CMAKE_SOURCE_DIR}/sim/*.hpp
  ${CMAKE_SOURCE_DIR}/tests/*.hpp ${CMAKE_SOURCE_DIR}/tools/*.hpp)
set(sources)
foreach(header ${headers})
  string(REGEX REPLACE "\\.hpp$" ".cpp" own_source ${header})
  if(NOT EXISTS ${CMAKE_SOURCE_DIR}/${own_source})
    string(REPLACE "/" "_" name ${own_source})
    set(source ${CMAKE_BINARY_DIR}/headers/${name})
    file(CONFIGURE OUTPUT ${source}
      CONTENT "#include \"${header}\"\n#include \"${header}\"\n" @ONLY)
    list(APPEND sources ${source})
  endif()
endforeach()
add_library(hf_headers OBJECT ${sources})
target_compile_options(hf_headers PRIVATE -O0 -g0)
target_link_libraries(hf_headers PRIVATE
  hf_scenarios hf_production hf_test_support GTest::gtest)
