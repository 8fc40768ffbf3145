// SPDX-License-Identifier: Apache-2.0
// earl_check DATA: how far the rebuilt worlds reproduce the benchmark's own demonstrations. Prints figures; no test.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <string>

#include "io/earl/demos.h"
#include "io/earl/world.h"

namespace {

using namespace nightshift;
using io::earl::Scene;

/// The largest difference of a coordinate; the fingers' distance is of another kind.
float Apart(const io::earl::State& a, const io::earl::State& b) {
  float most = 0;
  for (std::size_t i = 0; i < a.size(); ++i)
    if (i != 3 || a.size() == 6) most = std::max(most, std::fabs(a[i] - b[i]));
  return most;
}

std::string FileOf(const std::string& data, Scene scene, const char* direction) {
  return fmt::format("{}/{}/demos_{}.hdf5", data, Name(scene), direction);
}

int CheckTabletop(const std::string& data) {
  int same = 0, all = 0;
  const auto world = io::earl::MakeTabletop();
  for (const char* direction : {"forward", "reverse"}) {
    const auto demos = io::earl::ReadDemos(Scene::kTabletop, FileOf(data, Scene::kTabletop, direction));
    if (!demos) return fmt::print("{}\n", demos.error().detail), 1;
    for (const auto& demo : *demos)
      for (std::size_t t = 0; t < demo.actions.size(); ++t) {
        const std::vector<double> before(demo.states[t].begin(), demo.states[t].end());
        if (!world->Restore(before) || !world->Step(demo.actions[t])) return 1;
        same += Apart(world->state(), demo.states[t + 1]) < 1e-5f;
        ++all;
      }
  }
  fmt::print("tabletop: {} of {} demonstrated transitions reproduced\n", same, all);
  return 0;
}

/// The object is put where the demonstration found it; the hinge by search.
void PlaceObject(io::earl::World& world, const io::earl::State& wanted) {
  auto saved = world.Save();
  const std::size_t q = 7 + 1 + 9;  // After the state, the time, arm and fingers.
  if (world.scene() == Scene::kSawyerPeg) {
    for (std::size_t k = 0; k < 3; ++k) saved[q + k] = wanted[4 + k] + (k == 0 ? 0.1 : 0.0);
  } else {
    double best = 1e9, angle = 0;
    for (double a = -1.4; a <= 0; a += 1e-4) {
      saved[q] = a;
      if (!world.Restore(saved) || !world.Step(std::vector<float>{0, 0, 0, -1})) continue;
      const double d = std::hypot(world.state()[4] - wanted[4], world.state()[5] - wanted[5]);
      if (d < best) best = d, angle = a;
    }
    saved[q] = angle;
  }
  if (!world.Restore(saved)) fmt::print("cannot place the object\n");
}

int CheckSawyer(const std::string& data, Scene scene) {
  auto world = io::earl::MakeWorld(scene, data);
  if (!world) return fmt::print("{}\n", world.error().detail), 1;
  io::earl::World& w = **world;
  w.Reset(1);
  fmt::print("{}: reset hand {:.8f} {:.8f} {:.8f} fingers {:.5f} object {:.5f} {:.5f} {:.5f}\n", Name(scene),
             w.state()[0], w.state()[1], w.state()[2], w.state()[3], w.state()[4], w.state()[5], w.state()[6]);
  for (const char* direction : {"forward", "reverse"}) {
    const auto demos = io::earl::ReadDemos(scene, FileOf(data, scene, direction));
    if (!demos) return fmt::print("{}\n", demos.error().detail), 1;
    int solved = 0, in_hole = 0;
    float drift = 0;
    for (const auto& demo : *demos) {
      w.Reset(1);
      PlaceObject(w, demo.states.front());
      bool won = false;
      float most = 0;
      for (std::size_t t = 0; t < demo.actions.size() && !won; ++t) {
        if (!w.Step(demo.actions[t])) return 1;
        most = std::max(most, Apart(w.state(), demo.states[t + 1]));
        won = Succeeded(scene, w.state(), demo.goal);
      }
      drift = std::max(drift, most);
      solved += won;
      const auto peg = w.peg();
      in_hole += won && peg && peg->InHole();
    }
    fmt::print("{} {}: open-loop replay succeeds {} of {}, drifts by at most {:.4f} m; head in the hole {}\n",
               Name(scene), direction, solved, demos->size(), drift, in_hole);
  }
  return 0;
}

}  // namespace

int main(int count, char** arguments) {
  if (count != 2) return fmt::print("earl_check DATA, the benchmark's folder\n"), 2;
  const std::string data = arguments[1];
  return CheckTabletop(data) + CheckSawyer(data, Scene::kSawyerDoor) + CheckSawyer(data, Scene::kSawyerPeg);
}
