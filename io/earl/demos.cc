// SPDX-License-Identifier: Apache-2.0
#include "io/earl/demos.h"

#include <fmt/format.h>
#include <hdf5.h>

#include <algorithm>
#include <cmath>
#include <filesystem>

namespace nightshift::io::earl {

namespace {

constexpr hsize_t kEpisodesMax = 10000;
constexpr hsize_t kStepsMax = 100000;  // Of one episode.

/// A handle of the library, closed when it goes.
class Handle {
 public:
  Handle(hid_t id, herr_t (*close)(hid_t)) : id_(id), close_(close) {}
  ~Handle() {
    if (id_ >= 0) close_(id_);
  }
  Handle(const Handle&) = delete;
  Handle& operator=(const Handle&) = delete;
  operator hid_t() const { return id_; }
  bool good() const { return id_ >= 0; }

 private:
  hid_t id_;
  herr_t (*close_)(hid_t);
};

struct Table {
  hsize_t rows = 0, columns = 0;
  std::vector<float> values;

  std::vector<float> Row(hsize_t row, hsize_t begin, hsize_t end) const {
    const auto at = values.begin() + static_cast<std::ptrdiff_t>(row * columns);
    return {at + static_cast<std::ptrdiff_t>(begin), at + static_cast<std::ptrdiff_t>(end)};
  }
};

core::Result<Table> ReadTable(hid_t file, const std::string& path) {
  const auto refuse = [&path](const std::string& why) {
    return core::Fail(core::FaultCode::kCorruptState, path + ": " + why);
  };
  const Handle set(H5Dopen2(file, path.c_str(), H5P_DEFAULT), H5Dclose);
  if (!set.good()) return refuse("is not there");
  const Handle space(H5Dget_space(set), H5Sclose);
  hsize_t sizes[2] = {0, 0};
  if (H5Sget_simple_extent_ndims(space) != 2 || H5Sget_simple_extent_dims(space, sizes, nullptr) != 2)
    return refuse("must have rows and columns");
  if (sizes[0] < 1 || sizes[0] > kStepsMax || sizes[1] < 1 || sizes[1] > 1000)
    return refuse(fmt::format("{} x {} numbers; at most {} x 1000 are read", sizes[0], sizes[1], kStepsMax));
  Table table{sizes[0], sizes[1], std::vector<float>(sizes[0] * sizes[1])};
  if (H5Dread(set, H5T_NATIVE_FLOAT, H5S_ALL, H5S_ALL, H5P_DEFAULT, table.values.data()) < 0)
    return refuse("cannot be read as numbers");
  if (!std::all_of(table.values.begin(), table.values.end(), [](float v) { return std::isfinite(v); }))
    return refuse("holds a number that is not finite");
  return table;
}

core::Result<Demo> ReadDemo(const Rules& rules, hid_t file, const std::string& group) {
  const auto refuse = [&group](const std::string& why) {
    return core::Fail(core::FaultCode::kCorruptState, group + ": " + why);
  };
  const auto before = ReadTable(file, group + "/obs/state");
  if (!before) return tl::make_unexpected(before.error());
  const auto after = ReadTable(file, group + "/next_obs/state");
  if (!after) return tl::make_unexpected(after.error());
  const auto actions = ReadTable(file, group + "/actions");
  if (!actions) return tl::make_unexpected(actions.error());
  const auto state = static_cast<hsize_t>(rules.state);
  if (before->columns != 2 * state || after->columns != 2 * state ||
      actions->columns != static_cast<hsize_t>(rules.action))
    return refuse(fmt::format("{} and {} numbers of state and {} of action; {} and {} are wanted", before->columns,
                              after->columns, actions->columns, 2 * state, rules.action));
  if (before->rows != after->rows || before->rows != actions->rows)
    return refuse("obs, next_obs and actions must be equally long");
  Demo demo;
  demo.goal = before->Row(0, state, 2 * state);
  demo.states.push_back(before->Row(0, 0, state));
  for (hsize_t row = 0; row < before->rows; ++row) {
    if (before->Row(row, 0, state) != demo.states.back())
      return refuse(fmt::format("obs {} is not what next_obs {} led to", row, row - 1));
    if (before->Row(row, state, 2 * state) != demo.goal) return refuse("the goal changes within the episode");
    demo.states.push_back(after->Row(row, 0, state));
    demo.actions.push_back(actions->Row(row, 0, actions->columns));
  }
  return demo;
}

}  // namespace

core::Result<std::vector<Demo>> ReadDemos(Scene scene, const std::string& file) {
  if (!std::filesystem::is_regular_file(file))
    return core::Fail(core::FaultCode::kMissingFile, file + " is not there; --data must name the benchmark's folder");
  H5Eset_auto2(H5E_DEFAULT, nullptr, nullptr);  // Failures are told by the fault, not on the error stream.
  const auto refuse = [&file](const std::string& why) {
    return core::Fail(core::FaultCode::kCorruptState, file + ": " + why);
  };
  const Handle handle(H5Fopen(file.c_str(), H5F_ACC_RDONLY, H5P_DEFAULT), H5Fclose);
  if (!handle.good()) return refuse("is not an HDF5 file");
  const Handle data(H5Gopen2(handle, "data", H5P_DEFAULT), H5Gclose);
  if (!data.good()) return refuse("has no group data");
  H5G_info_t info{};
  if (H5Gget_info(data, &info) < 0 || info.nlinks < 1 || info.nlinks > kEpisodesMax)
    return refuse(fmt::format("{} episodes; between 1 and {} are read", info.nlinks, kEpisodesMax));
  std::vector<Demo> demos;
  for (hsize_t i = 0; i < info.nlinks; ++i) {
    auto demo = ReadDemo(RulesOf(scene), handle, fmt::format("data/demo_{}", i));
    if (!demo) return refuse(demo.error().detail);
    demos.push_back(std::move(*demo));
  }
  return demos;
}

}  // namespace nightshift::io::earl
