// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <memory>
#include <string>

#include "io/robot/cell/cell_world.h"
#include "runtime/body.h"

namespace nightshift::tests {

/// A cell without processes: arm port and eyes call the world directly, through the same safety filter.
class RehearsalCell {
 public:
  RehearsalCell(const skills::Scene& scene, const std::string& mess, const std::string& eyes, std::uint64_t seed);
  ~RehearsalCell();

  runtime::Body& body();
  io::cell::CellWorld& world();
  core::Instant time() const;
  void Stage(std::uint64_t seed);

 private:
  struct Parts;
  std::unique_ptr<Parts> parts_;
};

}  // namespace nightshift::tests
