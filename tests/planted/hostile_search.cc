// SPDX-License-Identifier: Apache-2.0
// Searches for commands that break what safety promises, by hill climbing over sequences of them: for a single joint
// under any limits, and for a whole arm in a crowded cell. The same program is linked to safety as it is, where it must
// find nothing, and to safety with one planted bug each, where it must find it (planted_bugs.toml).
//
//   hostile_search [ROUNDS [SEED]]     exit code 0: found nothing; 1: found what is printed
#include <cstdlib>
#include <iostream>
#include <optional>
#include <string>

#include "tests/safety/hostile_arm.h"

namespace nightshift::safety {
namespace {

constexpr int kRounds = 100;         // One search of an arm each.
constexpr int kJointsPerRound = 12;  // A joint's search costs a tenth of an arm's.

/// One search each of joints and of an arm; what it broke.
std::optional<std::string> Round(std::uint64_t seed, std::int64_t& joint_steps) {
  core::Random random(seed);
  Tally tally;
  for (int i = 0; i < kJointsPerRound; ++i) tally.Add(JointSearch(random).tally);
  const Limits limits = seed % 3 == 0 ? AnyLimits(random) : CrowdedLimits();
  if (tally.violations() == 0) tally.Add(ArmSearch(random, limits).tally);
  joint_steps += tally.joint_steps();
  if (tally.violations() == 0) return std::nullopt;
  return tally.Text();
}

int Search(int rounds, std::uint64_t first_seed) {
  std::int64_t joint_steps = 0;
  for (int round = 0; round < rounds; ++round) {
    const std::uint64_t seed = first_seed + static_cast<std::uint64_t>(round);
    if (const auto broken = Round(seed, joint_steps)) {
      std::cout << "found with seed " << seed << ", after " << joint_steps << " joint-steps: " << *broken << "\n";
      return 1;
    }
  }
  std::cout << "found nothing with " << rounds << " seeds from " << first_seed << ", " << joint_steps
            << " joint-steps\n";
  return 0;
}

}  // namespace
}  // namespace nightshift::safety

int main(int argc, char** argv) {
  const int rounds = argc > 1 ? std::atoi(argv[1]) : nightshift::safety::kRounds;
  const int seed = argc > 2 ? std::atoi(argv[2]) : 1;
  if (rounds < 1 || seed < 1) {
    std::cerr << "hostile_search [ROUNDS [SEED]]: each at least 1\n";
    return 2;
  }
  return nightshift::safety::Search(rounds, static_cast<std::uint64_t>(seed));
}
