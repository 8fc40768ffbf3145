// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <hdf5.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "io/earl/demos.h"

/// Small files of the benchmark's form, written anew for each test.
namespace nightshift::tests {

/// A folder of its own, gone when the test is.
class Folder {
 public:
  explicit Folder(const std::string& name)
      : path_(std::filesystem::temp_directory_path() / ("earl-" + name + "-" + std::to_string(::getpid()))) {
    std::filesystem::remove_all(path_);
    std::filesystem::create_directories(path_);
  }
  ~Folder() { std::filesystem::remove_all(path_); }
  std::string operator/(const std::string& file) const { return (path_ / file).string(); }
  std::string path() const { return path_.string(); }

 private:
  std::filesystem::path path_;
};

inline void WriteTable(hid_t group, const char* name, const std::vector<std::vector<float>>& rows) {
  const hsize_t sizes[2] = {rows.size(), rows.front().size()};
  std::vector<float> values;
  for (const auto& row : rows) values.insert(values.end(), row.begin(), row.end());
  const hid_t space = H5Screate_simple(2, sizes, nullptr);
  const hid_t links = H5Pcreate(H5P_LINK_CREATE);
  H5Pset_create_intermediate_group(links, 1);
  const hid_t set = H5Dcreate2(group, name, H5T_IEEE_F32LE, space, links, H5P_DEFAULT, H5P_DEFAULT);
  H5Dwrite(set, H5T_NATIVE_FLOAT, H5S_ALL, H5S_ALL, H5P_DEFAULT, values.data());
  H5Dclose(set);
  H5Pclose(links);
  H5Sclose(space);
}

/// In the robomimic layout.
inline void WriteDemos(const std::string& file, const std::vector<io::earl::Demo>& demos) {
  std::filesystem::create_directories(std::filesystem::path(file).parent_path());
  const hid_t handle = H5Fcreate(file.c_str(), H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
  const hid_t data = H5Gcreate2(handle, "data", H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
  for (std::size_t i = 0; i < demos.size(); ++i) {
    const auto& demo = demos[i];
    std::vector<std::vector<float>> before, after;
    for (std::size_t t = 0; t + 1 < demo.states.size(); ++t) {
      before.push_back(demo.states[t]);
      before.back().insert(before.back().end(), demo.goal.begin(), demo.goal.end());
      after.push_back(demo.states[t + 1]);
      after.back().insert(after.back().end(), demo.goal.begin(), demo.goal.end());
    }
    const std::string name = "demo_" + std::to_string(i);
    const hid_t group = H5Gcreate2(data, name.c_str(), H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
    WriteTable(group, "obs/state", before);
    WriteTable(group, "next_obs/state", after);
    WriteTable(group, "actions", demo.actions);
    H5Gclose(group);
  }
  H5Gclose(data);
  H5Fclose(handle);
}

/// A hand of one box with two sliding claws, welded to the mocap body, and a peg before a box; or a door.
inline std::string SmallModel(const std::string& object, bool fingers_touch = false) {
  const std::string touch = fingers_touch ? "1" : "0";
  return R"(<mujoco><compiler angle="radian" autolimits="true" /><option timestep="0.0025" />
  <worldbody>
    <geom type="plane" size="2 2 0.1" />
    <body name="mocap" mocap="true"><geom size="0.01" contype="0" conaffinity="0" /></body>
    <body name="hand" pos="0 0.6 0.2"><joint type="free" />
      <geom type="box" size="0.02 0.06 0.02" group="4" contype="0" conaffinity="0" />
      <body name="rightclaw" pos="0 -0.05 0">
        <joint name="r_close" type="slide" axis="0 1 0" range="0 0.04" damping="10" />
        <geom type="box" size="0.045 0.003 0.015" group="4" conaffinity="0" contype=")" +
         touch + R"(" /></body>
      <body name="leftclaw" pos="0 0.05 0">
        <joint name="l_close" type="slide" axis="0 1 0" range="-0.04 0" damping="10" />
        <geom type="box" size="0.045 0.003 0.015" group="4" conaffinity="0" contype=")" +
         touch + R"(" /></body>
    </body>)" +
         object + R"(
  </worldbody>
  <equality><weld body1="mocap" body2="hand" /></equality>
  <actuator><general joint="r_close" ctrlrange="-1 1" gainprm="10" />
    <general joint="l_close" ctrlrange="-1 1" gainprm="10" /></actuator>
</mujoco>)";
}
inline const std::string kSmallPeg = R"(
    <body name="peg" pos="0 0.6 0.03"><joint type="free" />
      <geom type="box" size="0.12 0.015 0.015" group="4" /><site name="pegHead" pos="-0.1 0 0" /></body>
    <body name="box"><geom type="box" size="0.01 0.01 0.01" group="4" /></body>)";
inline const std::string kSmallDoor = R"(
    <body name="door" pos="0 0.9 0.15"><body name="leaf"><joint name="doorjoint" axis="0 0 1" range="-1.4 0" />
      <geom name="handle" type="box" size="0.1 0.01 0.01" pos="0.2 0 0" group="4"
        contype="0" conaffinity="0" /></body></body>)";
/// One that the hand can push, hinge and handle where the benchmark's door has them.
inline const std::string kSwingingDoor = R"(
    <body name="door" pos="0 0.9 0.15"><body name="leaf" pos="-0.185 -0.1 0">
      <joint name="doorjoint" axis="0 0 1" range="-1.4 0" damping="0.05" />
      <geom name="handle" type="box" size="0.075 0.02 0.02" pos="0.375 -0.12 0"
        density="50" group="4" /></body></body>)";
constexpr std::size_t kHingeAt = 17;  // In World::Save: after the state, the time, the hand and its fingers.

inline void WriteText(const std::string& file, const std::string& text) {
  std::filesystem::create_directories(std::filesystem::path(file).parent_path());
  std::ofstream(file) << text;
}

}  // namespace nightshift::tests
