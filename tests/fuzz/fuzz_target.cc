// SPDX-License-Identifier: Apache-2.0
// libFuzzer's door: any bytes are a session (safety_session.h), and none may break a promise.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <iostream>

#include "tests/fuzz/safety_session.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto facts = nightshift::fuzz::PlaySession({data, size});
  if (facts.tally.violations() > 0) {
    std::cerr << facts.tally.Text() << "\n";
    std::abort();
  }
  return 0;
}
