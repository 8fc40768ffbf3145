// SPDX-License-Identifier: Apache-2.0
#include "io/earl/world.h"

#include <algorithm>
#include <cmath>
#include <filesystem>

namespace nightshift::io::earl {

double PegPlace::overlap() const {
  const double half = kHole.peg_half_width;
  double reach = 0;
  for (const double a : {-half, half})
    for (const double b : {-half, half}) {
      const double y = head[1] + a * across[1] + b * upward[1] - kHole.y;
      const double z = head[2] + a * across[2] + b * upward[2] - kHole.z;
      reach = std::max({reach, std::abs(y), std::abs(z)});
    }
  return reach - kHole.half_width;
}

bool PegPlace::InHole(double slack) const { return head[0] <= kHole.face_x && overlap() <= slack; }

core::Result<std::unique_ptr<World>> MakeWorld(Scene scene, const std::string& data_directory) {
  switch (scene) {
    case Scene::kTabletop: return MakeTabletop();
    case Scene::kSawyerDoor:
    case Scene::kSawyerPeg: break;
  }
  return MakeSawyer(scene, (std::filesystem::path(data_directory) / Name(scene) / "model.xml").string());
}

}  // namespace nightshift::io::earl
