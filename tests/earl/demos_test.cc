// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <limits>

#include "io/earl/demos.h"
#include "tests/earl/small_files.h"

namespace nightshift {
namespace {

using io::earl::Scene;
using testing::HasSubstr;

class Demos : public testing::Test {
 protected:
  tests::Folder folder{"demos"};
  std::vector<io::earl::Demo> demos{{.states = {{0, 0, 1, 0, -1, -1}, {0.1f, 0, 1, 0, -1, -1}, {0.2f, 0, 1, 0, -1, -1}},
                                     .actions = {{0.5f, 0, 0}, {0.5f, 0, -1}},
                                     .goal = {0, 0, 0, 2, -1, -1}},
                                    {.states = {{1, 0, 1, 0, -1, -1}, {1, 0.1f, 1, 0, -1, -1}},
                                     .actions = {{0, 0.5f, 0}},
                                     .goal = {0, 0, 2.5f, 0, -1, -1}}};
  core::Result<std::vector<io::earl::Demo>> Read() {
    tests::WriteDemos(folder / "demos.hdf5", demos);
    return io::earl::ReadDemos(Scene::kTabletop, folder / "demos.hdf5");
  }
  void IsRefused(const char* why) {
    const auto read = Read();
    ASSERT_FALSE(read);
    EXPECT_EQ(read.error().code, core::FaultCode::kCorruptState);
    EXPECT_THAT(read.error().detail, HasSubstr(why));
  }
};

TEST_F(Demos, AreReadAsTheyWereWritten) {
  const auto read = Read();
  ASSERT_TRUE(read) << read.error().detail;
  ASSERT_EQ(read->size(), 2u);
  for (std::size_t i = 0; i < 2; ++i) {
    EXPECT_EQ((*read)[i].states, demos[i].states);
    EXPECT_EQ((*read)[i].actions, demos[i].actions);
    EXPECT_EQ((*read)[i].goal, demos[i].goal);
  }
}
TEST_F(Demos, OfAnotherSceneAreRefused) {
  tests::WriteDemos(folder / "demos.hdf5", demos);
  const auto read = io::earl::ReadDemos(Scene::kSawyerPeg, folder / "demos.hdf5");
  EXPECT_EQ(read.error().code, core::FaultCode::kCorruptState);
}
TEST_F(Demos, WithANumberThatIsNotFiniteAreRefused) {
  demos[1].actions[0][1] = std::numeric_limits<float>::quiet_NaN();
  IsRefused("not finite");
}
TEST_F(Demos, AMissingFileAndAnythingThatIsNotHdf5AreRefused) {
  EXPECT_EQ(io::earl::ReadDemos(Scene::kTabletop, folder / "nothing").error().code, core::FaultCode::kMissingFile);
  tests::WriteText(folder / "text", "no HDF5");
  EXPECT_EQ(io::earl::ReadDemos(Scene::kTabletop, folder / "text").error().code, core::FaultCode::kCorruptState);
}
TEST_F(Demos, WhoseStatesDoNotFollowEachOtherAreRefused) {
  tests::WriteDemos(folder / "demos.hdf5", demos);
  const hid_t file = H5Fopen((folder / "demos.hdf5").c_str(), H5F_ACC_RDWR, H5P_DEFAULT);
  const hid_t set = H5Dopen2(file, "data/demo_0/obs/state", H5P_DEFAULT);
  std::vector<float> values(24);
  H5Dread(set, H5T_NATIVE_FLOAT, H5S_ALL, H5S_ALL, H5P_DEFAULT, values.data());
  values[12] += 0.5f;
  H5Dwrite(set, H5T_NATIVE_FLOAT, H5S_ALL, H5S_ALL, H5P_DEFAULT, values.data());
  H5Dclose(set);
  H5Fclose(file);
  const auto read = io::earl::ReadDemos(Scene::kTabletop, folder / "demos.hdf5");
  ASSERT_FALSE(read);
  EXPECT_THAT(read.error().detail, HasSubstr("demo_0"));
}

}  // namespace
}  // namespace nightshift
