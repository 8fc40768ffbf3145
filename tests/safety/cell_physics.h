// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <gtest/gtest.h>
#include <mujoco/mujoco.h>

#include <algorithm>
#include <array>
#include <fstream>
#include <memory>
#include <sstream>
#include <string>
#include <vector>

#include "core/check.h"
#include "core/kinematics.h"

namespace nightshift::tests {

/// The arm of configs/cell/tabletop.xml in its physics engine, without the drives, the cubes' mess and the processes
/// of the cell: to ask what a motion takes, and to see what a torque does.
class CellPhysics {
 public:
  /// A change to the model's text: what stands there, and what shall stand there instead.
  struct Change {
    std::string text, instead;
  };

  explicit CellPhysics(const std::vector<Change>& changes = {}) {
    std::ifstream file(CELL_MODEL_FILE);
    std::ostringstream read;
    read << file.rdbuf();
    std::string text = read.str();
    for (const auto& [was, is] : changes) {
      const std::size_t at = text.find(was);
      NIGHTSHIFT_CHECK(at != std::string::npos);
      text.replace(at, was.size(), is);
    }
    const std::string changed = testing::TempDir() + "cell_physics_" + std::to_string(::getpid()) + ".xml";
    std::ofstream(changed) << text;
    char error[1000] = "";
    model_.reset(mj_loadXML(changed.c_str(), nullptr, error, sizeof error));
    EXPECT_TRUE(model_) << error;
    std::remove(changed.c_str());
    data_.reset(mj_makeData(model_.get()));
    for (std::size_t i = 0; i < kNames.size(); ++i) {
      const int joint = mj_name2id(model_.get(), mjOBJ_JOINT, kNames[i]);
      q_[i] = model_->jnt_qposadr[joint];
      v_[i] = model_->jnt_dofadr[joint];
    }
  }

  /// So much mass at the grasp point.
  static Change Holding(double payload_kg) {
    const std::string site = R"(<site name="grasp")";
    return {site, R"(<geom type="sphere" size="1e-4" pos="0 0.010 0.095" contype="0" conaffinity="0" mass=")" +
                      std::to_string(payload_kg) + R"("/>)" + site};
  }
  /// A rigid bar called "bar", 16 mm thick, between two points.
  static Change Bar(core::Vec3 from, core::Vec3 to) {
    std::ostringstream geom;
    geom << R"(<worldbody><geom name="bar" type="capsule" size="0.008" solref="0.008 1" fromto=")" << from.x << " "
         << from.y << " " << from.z << " " << to.x << " " << to.y << " " << to.z << R"("/>)";
    return {"<worldbody>", geom.str()};
  }
  /// Whatever stands there is passed through, and joints go on beyond their stops.
  static Change Unobstructed() {
    return {"<option ", R"(<option><flag contact="disable" limit="disable"/></option><option )"};
  }

  void Set(const core::AxisArray& q_rad, const core::AxisArray& dq_rad_s) {
    for (std::size_t i = 0; i < kNames.size(); ++i) {
      data_->qpos[q_[i]] = q_rad[i];
      data_->qvel[v_[i]] = dq_rad_s[i];
    }
  }

  /// Torque of each joint that brings an acceleration about where it is, friction included.
  core::AxisArray InverseNm(const core::AxisArray& ddq_rad_s2) {
    std::fill_n(data_->qacc, model_->nv, 0.0);
    for (std::size_t i = 0; i < kNames.size(); ++i) data_->qacc[v_[i]] = ddq_rad_s2[i];
    mj_inverse(model_.get(), data_.get());
    return OfJoints(data_->qfrc_inverse);
  }

  /// One tick with these torques.
  void Step(const core::AxisArray& torque_nm) {
    for (std::size_t i = 0; i < kNames.size(); ++i) data_->qfrc_applied[v_[i]] = torque_nm[i];
    mj_step(model_.get(), data_.get());
  }

  core::AxisArray q_rad() const {
    core::AxisArray q{};
    for (std::size_t i = 0; i < kNames.size(); ++i) q[i] = data_->qpos[q_[i]];
    return q;
  }
  core::AxisArray dq_rad_s() const { return OfJoints(data_->qvel); }

  /// So much of its friction is left.
  void SetFriction(double share) {
    for (int i = 0; i < model_->nv; ++i) model_->dof_damping[i] *= share, model_->dof_frictionloss[i] *= share;
  }

  /// As `nightshift inject stall` has it (io/robot/cell/cell_world.cc).
  void Jam(int joint) { model_->dof_damping[v_[static_cast<std::size_t>(joint)]] = 500; }

  /// With which something of this name is pressed on, all contacts together.
  double ForceOnN(const std::string& name) const {
    const int geom = mj_name2id(model_.get(), mjOBJ_GEOM, name.c_str());
    double force_n = 0;
    for (int i = 0; i < data_->ncon; ++i) {
      mjtNum wrench[6];
      mj_contactForce(model_.get(), data_.get(), i, wrench);
      if (data_->contact[i].geom1 == geom || data_->contact[i].geom2 == geom) force_n += wrench[0];
    }
    return force_n;
  }

 private:
  static constexpr std::array<const char*, core::kArmAxes> kNames{"pan", "lift", "elbow", "wrist", "roll", "jaw"};
  core::AxisArray OfJoints(const mjtNum* dofs) const {
    core::AxisArray values{};
    for (std::size_t i = 0; i < kNames.size(); ++i) values[i] = dofs[v_[i]];
    return values;
  }

  struct Deleter {
    void operator()(mjModel* m) const { mj_deleteModel(m); }
    void operator()(mjData* d) const { mj_deleteData(d); }
  };
  std::unique_ptr<mjModel, Deleter> model_;
  std::unique_ptr<mjData, Deleter> data_;
  std::array<int, core::kArmAxes> q_{}, v_{};
};

}  // namespace nightshift::tests
