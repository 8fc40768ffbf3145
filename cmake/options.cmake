# SPDX-License-Identifier: Apache-2.0
# Warnings, optimisation and sanitizers, the same for every target of ours.
add_library(nightshift_options INTERFACE)
target_compile_options(nightshift_options INTERFACE
  -Wall -Wextra -Werror -Wswitch-enum -Wshadow -Wno-missing-field-initializers -Wnon-virtual-dtor -fno-math-errno)
if(CMAKE_CXX_COMPILER_ID STREQUAL "Clang")
  target_compile_options(nightshift_options INTERFACE -Wthread-safety -Werror=thread-safety)
endif()
if(NIGHTSHIFT_SANITIZE)
  target_compile_options(nightshift_options INTERFACE
    -fsanitize=${NIGHTSHIFT_SANITIZE} -fno-sanitize-recover=all -fno-omit-frame-pointer)
  target_link_options(nightshift_options INTERFACE -fsanitize=${NIGHTSHIFT_SANITIZE})
endif()
find_program(CCACHE ccache)
if(CCACHE)
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CCACHE})
endif()
