// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <memory>
#include <string>
#include <vector>

#include "core/fault.h"
#include "core/random.h"
#include "core/transition.h"
#include "skills/scene.h"

namespace nightshift::skills {

/// Something that can act for a task, one policy period after the other.
class Skill {
 public:
  virtual ~Skill() = default;

  /// The first call after construction is the start of the episode.
  virtual core::PolicyAction Act(const core::Observation& seen, const core::Observation& previous) = 0;

  /// It has done all it meant to do: what has not succeeded by now will not.
  virtual bool Finished() const { return false; }
};

/// How often a script tries within one episode.
enum class Persistence { kOnce, kRetry };

/// A scripted motion by name ("pick", "place", "unload", "unwedge", ...). Faults: kInvalidConfig naming those that
/// exist.
core::Result<std::unique_ptr<Skill>> MakeScript(const std::string& name, const Scene& scene, const core::Target& target,
                                                Persistence persistence, core::Random& random);

std::vector<std::string> ScriptNames();

}  // namespace nightshift::skills
