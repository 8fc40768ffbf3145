// SPDX-License-Identifier: Apache-2.0
// The Sawyer worlds: a hand dragged by a mocap body through a weld, over a hinged door or a free peg.
#include <mujoco/mujoco.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <numbers>

#include "core/check.h"
#include "core/random.h"
#include "io/earl/world.h"

namespace nightshift::io::earl {

namespace {

constexpr int kSubsteps = 5;        // Of 2.5 ms each.
constexpr int kSettlingSteps = 50;  // Policy steps that a reset gives the hand to arrive.
constexpr double kReach = 0.01;     // Metres of mocap per full action.
constexpr double kHandLow[] = {-0.5, 0.4, 0.05}, kHandHigh[] = {0.5, 1, 0.5};
constexpr double kHandQuaternion[] = {1, 0, 1, 0};
constexpr double kFingersOpenM = 0.1;
constexpr double kDoorBody[] = {0.1, 0.95, 0.1};
constexpr double kDoorClosedRad = -std::numbers::pi / 3, kDoorSpreadRad = std::numbers::pi / 20;
constexpr double kPegLow[] = {0, 0.5}, kPegHigh[] = {0.2, 0.7}, kPegZ = 0.02;
constexpr double kBoxFromGoal[] = {-0.03, 0, -0.13};
constexpr double kBoxDistanceMin = 0.1;
constexpr int kDrawsMax = 100;
constexpr char kMassGroups[] = "inertiagrouprange";
constexpr double kPegHeadX = -0.1;  // Of the head in the peg's frame.
// The door's stored initial state, which is also the goal of its reverse task.
const State kDoorInitial{0.00591636f, 0.39968333f, 0.19493164f, 1, 0.01007495f, 0.47104556f, 0.10003595f};
// Where a reset brings the hand over the peg; the object's place is drawn.
const State kPegInitial{0.00615235f, 0.60018981f, 0.19430117f, 1, 0, 0, 0};

struct ModelDeleter {
  void operator()(mjModel* m) const { mj_deleteModel(m); }
};
struct DataDeleter {
  void operator()(mjData* d) const { mj_deleteData(d); }
};

using Model = std::unique_ptr<mjModel, ModelDeleter>;

/// The original's compiler takes masses from geoms of groups 4 and 5 alone; the flattened file no longer says so, and
/// without it the fingers weigh a kilogram and the hand does not sag by the 5 mm that every demonstration shows.
core::Result<Model> LoadModel(const std::string& file) {
  std::ifstream stream(file, std::ios::binary);
  if (!stream)
    return core::Fail(core::FaultCode::kMissingFile, file + " is not there; --data must name the benchmark's folder");
  std::string text{std::istreambuf_iterator<char>(stream), {}};
  const std::string compiler = "<compiler ";
  if (const auto at = text.find(compiler); at != std::string::npos && text.find(kMassGroups) == std::string::npos)
    text.insert(at + compiler.size(), std::string(kMassGroups) + "=\"4 5\" ");
  const auto files = std::make_unique<mjVFS>();
  mj_defaultVFS(files.get());
  const std::string name = std::filesystem::path(file).filename().string();
  if (mj_makeEmptyFileVFS(files.get(), name.c_str(), static_cast<int>(text.size())) != 0)
    return core::Fail(core::FaultCode::kIoFailed, file + ": no memory to read it into");
  std::memcpy(files->filedata[0], text.data(), text.size());
  char error[1000] = "";
  Model model(mj_loadXML(file.c_str(), files.get(), error, sizeof(error)));
  mj_deleteVFS(files.get());
  if (!model) return core::Fail(core::FaultCode::kInvalidConfig, file + ": " + error);
  return model;
}

/// Numbers of the model's parts, looked up once.
struct Parts {
  int hand = -1, right_claw = -1, left_claw = -1, mocap = -1;
  int object = -1;                   // Door: geom "handle"; peg: site "pegHead".
  int object_q = -1, object_v = -1;  // Hinge, or the free joint.
  int peg_body = -1;
};

core::Result<Parts> FindParts(const mjModel* m, Scene scene, const std::string& file) {
  std::string missing;
  const auto find = [&](mjtObj type, const char* name) {
    const int id = mj_name2id(m, type, name);
    if (id < 0) missing += " " + std::string(name);
    return id;
  };
  Parts parts;
  parts.hand = find(mjOBJ_BODY, "hand");
  parts.right_claw = find(mjOBJ_BODY, "rightclaw");
  parts.left_claw = find(mjOBJ_BODY, "leftclaw");
  const int mocap = find(mjOBJ_BODY, "mocap");
  if (mocap >= 0) parts.mocap = m->body_mocapid[mocap];
  const bool door = scene == Scene::kSawyerDoor;
  parts.object = door ? find(mjOBJ_GEOM, "handle") : find(mjOBJ_SITE, "pegHead");
  find(mjOBJ_BODY, door ? "door" : "box");
  int joint = -1;
  if (door) {
    joint = find(mjOBJ_JOINT, "doorjoint");
  } else if (const int peg = find(mjOBJ_BODY, "peg"); peg >= 0) {
    joint = m->body_jntadr[peg];
    parts.peg_body = peg;
    if (joint < 0 || m->jnt_type[joint] != mjJNT_FREE) missing += " peg's free joint";
  }
  if (mocap >= 0 && parts.mocap < 0) missing += " mocap of body mocap";
  if (m->nu != 2) missing += " two actuators of the fingers";
  if (!missing.empty())
    return core::Fail(core::FaultCode::kInvalidConfig,
                      file + ": the model lacks" + missing + "; take the benchmark's model.xml");
  parts.object_q = m->jnt_qposadr[joint];
  parts.object_v = m->jnt_dofadr[joint];
  return parts;
}

class Sawyer final : public World {
 public:
  Sawyer(Scene scene, Model model, const Parts& parts)
      : World(scene), model_(std::move(model)), data_(mj_makeData(model_.get())), parts_(parts) {
    NIGHTSHIFT_CHECK(data_ != nullptr);
    PrepareModel();
    Reset(0);
  }

  void Reset(std::uint64_t seed) override {
    core::Random random(seed);
    mjData* d = data_.get();
    mj_resetData(model_.get(), d);
    const float* start = scene() == Scene::kSawyerDoor ? kDoorHandStart : kPegHandStart;
    const double open[] = {-1, 1};
    for (int i = 0; i < kSettlingSteps; ++i) {
      for (int k = 0; k < 3; ++k) d->mocap_pos[3 * parts_.mocap + k] = start[k];
      Drive(open);
    }
    if (scene() == Scene::kSawyerDoor) {
      d->qpos[parts_.object_q] = kDoorClosedRad + random.Uniform(0, kDoorSpreadRad);
      d->qvel[parts_.object_v] = 0;
    } else {
      const auto place = DrawPeg(random);
      for (std::size_t k = 0; k < 3; ++k) d->qpos[parts_.object_q + static_cast<int>(k)] = place[k];
      std::fill_n(d->qvel + parts_.object_v, 6, 0.0);
    }
    mj_forward(model_.get(), d);
    Observe();
  }

  State DrawInitial(std::uint64_t seed) const override {
    if (scene() == Scene::kSawyerDoor) return kDoorInitial;
    core::Random random(seed);
    const auto place = DrawPeg(random);
    State state = kPegInitial;
    state[4] = static_cast<float>(place[0] + kPegHeadX);
    state[5] = static_cast<float>(place[1]);
    state[6] = static_cast<float>(place[2]);
    return state;
  }

  core::Result<void> Step(std::span<const float> action) override {
    NIGHTSHIFT_CHECK(std::ssize(action) == rules().action);
    for (const float a : action)
      if (!std::isfinite(a))
        return core::Fail(core::FaultCode::kNotFinite, "sawyer: an action holds a number that is not finite");
    mjData* d = data_.get();
    for (int k = 0; k < 3; ++k) {
      double& at = d->mocap_pos[3 * parts_.mocap + k];
      at = std::clamp(at + kReach * std::clamp(action[static_cast<std::size_t>(k)], -1.0f, 1.0f), kHandLow[k],
                      kHandHigh[k]);
    }
    const double grip = std::clamp(action[3], -1.0f, 1.0f);
    const double fingers[] = {grip, -grip};
    Drive(fingers);
    Observe();
    // The library puts a diverged scene back to the start by itself; that must not pass for physics.
    for (const int warning : {mjWARN_BADQPOS, mjWARN_BADQVEL, mjWARN_BADQACC})
      if (d->warning[warning].number > 0)
        return core::Fail(core::FaultCode::kNotFinite, "sawyer: the physics diverged; reset the scene");
    return {};
  }

  const State& state() const override { return state_; }

  std::optional<PegPlace> peg() const override {
    if (scene() != Scene::kSawyerPeg) return std::nullopt;
    PegPlace place;
    const double* rotation = data_->xmat + 9 * parts_.peg_body;  // Row by row: columns are the body's axes.
    for (std::size_t k = 0; k < 3; ++k) {
      place.head[k] = data_->site_xpos[3 * parts_.object + static_cast<int>(k)];
      place.axis[k] = -rotation[3 * k];
      place.across[k] = rotation[3 * k + 1];
      place.upward[k] = rotation[3 * k + 2];
    }
    return place;
  }

  std::vector<double> Save() const override {
    std::vector<double> saved(state_.begin(), state_.end());
    for (const auto& part : Stored()) saved.insert(saved.end(), part.begin(), part.end());
    return saved;
  }

  core::Result<void> Restore(std::span<const double> saved) override {
    std::size_t wanted = state_.size();
    for (const auto& part : Stored()) wanted += part.size();
    const auto finite = [](double v) { return std::isfinite(v); };
    if (saved.size() != wanted || !std::all_of(saved.begin(), saved.end(), finite))
      return core::Fail(core::FaultCode::kCorruptState,
                        "sawyer: a saved world of " + std::to_string(wanted) + " finite numbers is wanted");
    mj_resetData(model_.get(), data_.get());
    const auto put = [this, saved] {
      auto rest = saved.subspan(state_.size());
      for (const auto& part : Stored()) {
        std::copy_n(rest.begin(), part.size(), part.begin());
        rest = rest.subspan(part.size());
      }
    };
    put();
    mj_forward(model_.get(), data_.get());  // Where things are, for peg().
    put();                                  // It moved the solver's warm start.
    for (std::size_t i = 0; i < state_.size(); ++i) state_[i] = static_cast<float>(saved[i]);
    return {};
  }

 private:
  void PrepareModel() {
    mjModel* m = model_.get();
    for (int i = 0; i < m->neq; ++i) {
      if (m->eq_type[i] != mjEQ_WELD) continue;
      double* weld = m->eq_data + mjNEQDATA * i;
      std::fill_n(weld, mjNEQDATA, 0.0);  // The hand's place is the mocap's:
      weld[6] = 1;                        // no rotation between them,
      weld[10] = 1;                       // torque counts as force does.
    }
    const bool door = scene() == Scene::kSawyerDoor;
    double* place = m->body_pos + 3 * mj_name2id(m, mjOBJ_BODY, door ? "door" : "box");
    const State& goal = ForwardGoals(scene()).front();
    for (int k = 0; k < 3; ++k)
      place[k] = door ? kDoorBody[k] : static_cast<double>(goal[static_cast<std::size_t>(4 + k)]) + kBoxFromGoal[k];
  }

  std::array<double, 3> DrawPeg(core::Random& random) const {
    const State& goal = ForwardGoals(Scene::kSawyerPeg).front();
    const double box_x = goal[4] + kBoxFromGoal[0], box_y = goal[5] + kBoxFromGoal[1];
    std::array<double, 3> place{};
    for (int draw = 0; draw < kDrawsMax; ++draw) {
      place = {random.Uniform(kPegLow[0], kPegHigh[0]), random.Uniform(kPegLow[1], kPegHigh[1]), kPegZ};
      if (std::hypot(place[0] - box_x, place[1] - box_y) >= kBoxDistanceMin) break;
    }
    return place;
  }

  void Drive(const double (&fingers)[2]) {
    mjData* d = data_.get();
    std::copy_n(kHandQuaternion, 4, d->mocap_quat + 4 * parts_.mocap);
    std::copy_n(fingers, 2, d->ctrl);
    for (int i = 0; i < kSubsteps; ++i) mj_step(model_.get(), d);
  }

  void Observe() {
    const mjData* d = data_.get();
    const double* hand = d->xpos + 3 * parts_.hand;
    const double* object = 3 * parts_.object + (scene() == Scene::kSawyerDoor ? d->geom_xpos : d->site_xpos);
    double apart = 0;
    for (int k = 0; k < 3; ++k) {
      const double between = d->xpos[3 * parts_.right_claw + k] - d->xpos[3 * parts_.left_claw + k];
      apart += between * between;
    }
    for (std::size_t k = 0; k < 3; ++k) {
      state_[k] = static_cast<float>(hand[k]);
      state_[4 + k] = static_cast<float>(object[k]);
    }
    state_[3] = static_cast<float>(std::clamp(std::sqrt(apart) / kFingersOpenM, 0.0, 1.0));
  }

  /// What the physics remembers from step to step.
  std::array<std::span<double>, 7> Stored() const {
    const mjModel* m = model_.get();
    mjData* d = data_.get();
    const auto count = [](int n) { return static_cast<std::size_t>(n); };
    return {std::span(&d->time, 1),
            std::span(d->qpos, count(m->nq)),
            std::span(d->qvel, count(m->nv)),
            std::span(d->qacc_warmstart, count(m->nv)),
            std::span(d->ctrl, count(m->nu)),
            std::span(d->mocap_pos, count(3 * m->nmocap)),
            std::span(d->mocap_quat, count(4 * m->nmocap))};
  }

  Model model_;
  std::unique_ptr<mjData, DataDeleter> data_;
  Parts parts_;
  State state_ = State(7, 0.0f);
};

}  // namespace

core::Result<std::unique_ptr<World>> MakeSawyer(Scene scene, const std::string& model_file) {
  NIGHTSHIFT_CHECK(scene != Scene::kTabletop);
  auto model = LoadModel(model_file);
  if (!model) return tl::make_unexpected(model.error());
  const auto parts = FindParts(model->get(), scene, model_file);
  if (!parts) return tl::make_unexpected(parts.error());
  return std::make_unique<Sawyer>(scene, std::move(*model), *parts);
}

}  // namespace nightshift::io::earl
