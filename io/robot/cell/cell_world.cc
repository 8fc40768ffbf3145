// SPDX-License-Identifier: Apache-2.0
#include "io/robot/cell/cell_world.h"

#include <mujoco/mujoco.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <filesystem>
#include <numbers>
#include <vector>

#include "core/check.h"
#include "core/random.h"
#include "io/robot/cell/cell_staging.h"

namespace nightshift::io::cell {
namespace {

constexpr double kJammedDamping = 500.0;  // Nms/rad: moves less than 0.3 degrees a second at full torque.
constexpr double kHeatedAboveC = 45.0;    // An injected hot motor: 70 C in a room of 25.
constexpr double kDropTorqueNm = 0.03;    // Springs the jaw open a little, so that the drop is one.
constexpr double kFaultDurationMaxS = 600;
constexpr std::uint64_t kGoodEveryTicks = 25;  // How often a copy is kept in case the physics diverges.
constexpr char kMagic[8] = {'N', 'S', 'C', 'E', 'L', 'L', '0', '1'};

std::size_t At(int i) { return static_cast<std::size_t>(i); }

struct ModelDeleter {
  void operator()(mjModel* m) const { mj_deleteModel(m); }
};
struct DataDeleter {
  void operator()(mjData* d) const { mj_deleteData(d); }
};

/// Numbers of the model's parts, looked up once.
struct Parts {
  std::array<int, kAxes> joint_q{}, joint_v{}, actuator{};
  std::array<int, kObjects> object_body{}, object_geom{}, object_q{}, object_v{};
  int fixed_finger = -1, moving_finger = -1, camera = -1, grasp = -1;
};

std::uint64_t Checksum(const char* bytes, std::size_t count) {  // FNV-1a
  std::uint64_t hash = 14695981039346656037ull;
  for (std::size_t i = 0; i < count; ++i) hash = (hash ^ static_cast<unsigned char>(bytes[i])) * 1099511628211ull;
  return hash;
}

core::Result<Parts> FindParts(const mjModel* m, const std::string& file) {
  Parts parts;
  std::string missing;
  const auto find = [&](mjtObj type, std::string_view name) {
    const int id = mj_name2id(m, type, std::string(name).c_str());
    if (id < 0) missing += " " + std::string(name);
    return id;
  };
  for (int i = 0; i < kAxes; ++i) {
    const int joint = find(mjOBJ_JOINT, kAxisNames[At(i)]);
    parts.actuator[At(i)] = find(mjOBJ_ACTUATOR, kAxisNames[At(i)]);
    if (joint < 0) continue;
    parts.joint_q[At(i)] = m->jnt_qposadr[joint];
    parts.joint_v[At(i)] = m->jnt_dofadr[joint];
  }
  for (int i = 0; i < kObjects; ++i) {
    const int joint = find(mjOBJ_JOINT, kObjectNames[At(i)]);
    parts.object_body[At(i)] = find(mjOBJ_BODY, kObjectNames[At(i)]);
    parts.object_geom[At(i)] = find(mjOBJ_GEOM, kObjectNames[At(i)]);
    if (joint < 0) continue;
    parts.object_q[At(i)] = m->jnt_qposadr[joint];
    parts.object_v[At(i)] = m->jnt_dofadr[joint];
  }
  parts.fixed_finger = find(mjOBJ_GEOM, "fixed_finger");
  parts.moving_finger = find(mjOBJ_GEOM, "moving_finger");
  parts.camera = find(mjOBJ_CAMERA, "bench");
  parts.grasp = find(mjOBJ_SITE, "grasp");
  if (!missing.empty())
    return core::Fail(core::FaultCode::kInvalidConfig,
                      "cell: " + file + " lacks:" + missing + "; start from configs/cell/tabletop.xml");
  if (std::abs(m->opt.timestep - kTickS) > 1e-9)
    return core::Fail(core::FaultCode::kInvalidConfig, "cell: " + file + ": timestep must be 0.004");
  return parts;
}

}  // namespace

struct CellWorld::State {
  State(const CellConfig& c, std::unique_ptr<mjModel, ModelDeleter> loaded, const Parts& found)
      : config(c),
        model(std::move(loaded)),
        data(mj_makeData(model.get())),
        parts(found),
        drives(c.drives, c.mess),
        random(c.seed) {
    for (int i = 0; i < kObjects; ++i) {
      mass0_kg[At(i)] = model->body_mass[parts.object_body[At(i)]];
      for (int k = 0; k < 3; ++k) inertia0[At(i)][At(k)] = model->body_inertia[3 * parts.object_body[At(i)] + k];
    }
    for (int i = 0; i < kAxes; ++i) damping0[At(i)] = model->dof_damping[parts.joint_v[At(i)]];
  }

  core::AxisArray MeasuredQ() const {
    core::AxisArray q{};
    for (int i = 0; i < kAxes; ++i) q[At(i)] = data->qpos[parts.joint_q[At(i)]] + config.mess.joint_zero_rad[At(i)];
    return q;
  }

  core::Vec3 ObjectPosition(int object) const {
    const mjtNum* p = data->xpos + 3 * parts.object_body[At(object)];
    return {p[0], p[1], p[2]};
  }

  void PlaceObject(int object, const Spot& spot) {
    mjtNum* q = data->qpos + parts.object_q[At(object)];
    q[0] = spot.position_m.x, q[1] = spot.position_m.y, q[2] = spot.position_m.z;
    q[3] = std::cos(spot.yaw_rad / 2), q[4] = q[5] = 0, q[6] = std::sin(spot.yaw_rad / 2);
    std::fill_n(data->qvel + parts.object_v[At(object)], 6, 0.0);
    mj_forward(model.get(), data.get());
  }

  void SetSurface(int object, const Surface& surface) {
    friction[At(object)] = surface.friction;
    mass_kg[At(object)] = surface.mass_kg;
    model->geom_friction[3 * parts.object_geom[At(object)]] = surface.friction;
    const int body = parts.object_body[At(object)];
    model->body_mass[body] = surface.mass_kg;
    for (int k = 0; k < 3; ++k)
      model->body_inertia[3 * body + k] = inertia0[At(object)][At(k)] * surface.mass_kg / mass0_kg[At(object)];
  }

  bool Touches(int object, int finger) const {
    for (int i = 0; i < data->ncon; ++i) {
      const mjContact& c = data->contact[i];
      const int geom = parts.object_geom[At(object)];
      if ((c.geom1 == geom && c.geom2 == finger) || (c.geom2 == geom && c.geom1 == finger)) return true;
    }
    return false;
  }
  bool Held(int object) const { return Touches(object, parts.fixed_finger) && Touches(object, parts.moving_finger); }

  std::vector<core::Vec3> OthersThan(int object) const {
    std::vector<core::Vec3> others;
    for (int i = 0; i < kObjects; ++i)
      if (i != object) others.push_back(ObjectPosition(i));
    return others;
  }

  void StageAll(core::Random& from) {
    std::vector<core::Vec3> taken;
    for (int i = 0; i < kObjects; ++i) {
      SetSurface(i, DrawSurface(config.mess, from));
      const Spot spot = DrawStart(config.mess, kObjectEdgesM[At(i)], taken, from);
      taken.push_back(spot.position_m);
      PlaceObject(i, spot);
      next_redraw_tick[At(i)] = tick + RedrawTicks(from);
    }
  }

  /// Staggered by a quarter either way, so that the objects do not change together.
  std::uint64_t RedrawTicks(core::Random& from) const {
    return static_cast<std::uint64_t>(config.mess.redraw_every_s * from.Uniform(0.75, 1.25) / kTickS);
  }

  void RedrawSurfaces() {
    if (config.mess.redraw_every_s <= 0) return;
    for (int i = 0; i < kObjects; ++i) {
      if (tick < next_redraw_tick[At(i)] || Touches(i, parts.fixed_finger) || Touches(i, parts.moving_finger)) continue;
      SetSurface(i, DrawSurface(config.mess, random));
      next_redraw_tick[At(i)] = tick + RedrawTicks(random);
    }
  }

  bool Active(CellFault fault) const { return tick < fault_until_tick[static_cast<std::size_t>(fault)]; }
  int Index(CellFault fault) const { return fault_index[static_cast<std::size_t>(fault)]; }

  void ApplyFaults(core::AxisArray& torque) {
    for (int i = 0; i < kAxes; ++i) {
      const bool jammed = Active(CellFault::kStall) && Index(CellFault::kStall) == i;
      model->dof_damping[parts.joint_v[At(i)]] = jammed ? kJammedDamping : damping0[At(i)];
    }
    if (Active(CellFault::kHeat))
      drives.SetTemperature(Index(CellFault::kHeat), config.drives.ambient_c + kHeatedAboveC);
    if (Active(CellFault::kDrop)) torque[kJaw] = kDropTorqueNm;
  }

  /// MuJoCo resets a diverged state to the model's start, which would be a hidden reset: the last good one instead.
  void KeepOrRecover() {
    const bool diverged = data->warning[mjWARN_BADQPOS].number + data->warning[mjWARN_BADQVEL].number +
                              data->warning[mjWARN_BADQACC].number >
                          0;
    if (diverged) {
      for (mjWarningStat& warning : data->warning) warning.number = 0;
      std::copy(good_q.begin(), good_q.end(), data->qpos);
      std::fill_n(data->qvel, model->nv, 0.0);
      mj_forward(model.get(), data.get());
    } else if (tick % kGoodEveryTicks == 0) {
      good_q.assign(data->qpos, data->qpos + model->nq);
    }
  }

  CellConfig config;
  std::unique_ptr<mjModel, ModelDeleter> model;
  std::unique_ptr<mjData, DataDeleter> data;
  Parts parts;
  DriveBank drives;
  core::Random random;
  std::uint64_t tick = 0;
  core::AxisArray torque_nm{};
  std::array<double, kObjects> friction{}, mass_kg{}, mass0_kg{};
  std::array<std::array<double, 3>, kObjects> inertia0{};
  std::array<double, kAxes> damping0{};
  std::array<std::uint64_t, kObjects> next_redraw_tick{};
  std::array<std::uint64_t, kCellFaults> fault_until_tick{};
  std::array<int, kCellFaults> fault_index{};
  std::vector<double> good_q;
};

namespace {

/// The real camera is not quite where the calibration says.
void MisplaceCamera(mjModel* m, int camera, const MessConfig& mess) {
  mjtNum* p = m->cam_pos + 3 * camera;
  p[0] += mess.camera_shift_m.x, p[1] += mess.camera_shift_m.y, p[2] += mess.camera_shift_m.z;
  for (int axis = 0; axis < 3; ++axis) {
    mjtNum direction[3] = {0, 0, 0}, turn[4], turned[4];
    direction[axis] = 1;
    mju_axisAngle2Quat(turn, direction, mess.camera_turn_rad[At(axis)]);
    mju_mulQuat(turned, m->cam_quat + 4 * camera, turn);
    mju_copy4(m->cam_quat + 4 * camera, turned);
  }
}

}  // namespace

core::Result<CellWorld> CellWorld::Load(const CellConfig& config) {
  if (!std::filesystem::exists(config.model_file))
    return core::Fail(core::FaultCode::kMissingFile, "cell: model_file \"" + config.model_file +
                                                         "\" does not exist; it ships as configs/cell/tabletop.xml");
  char text[1000] = "";
  std::unique_ptr<mjModel, ModelDeleter> model(mj_loadXML(config.model_file.c_str(), nullptr, text, sizeof text));
  if (!model) return core::Fail(core::FaultCode::kInvalidConfig, "cell: " + config.model_file + ": " + text);
  auto parts = FindParts(model.get(), config.model_file);
  if (!parts) return tl::make_unexpected(parts.error());
  MisplaceCamera(model.get(), parts->camera, config.mess);
  auto state = std::make_unique<State>(config, std::move(model), *parts);
  for (int i = 0; i < kAxes; ++i)
    state->data->qpos[parts->joint_q[At(i)]] = kHomeRad[At(i)] - config.mess.joint_zero_rad[At(i)];
  mj_forward(state->model.get(), state->data.get());
  state->StageAll(state->random);
  state->KeepOrRecover();
  return CellWorld(std::move(state));
}

CellWorld::CellWorld(std::unique_ptr<State> state) : s_(std::move(state)) {}
CellWorld::CellWorld(CellWorld&&) noexcept = default;
CellWorld& CellWorld::operator=(CellWorld&&) noexcept = default;
CellWorld::~CellWorld() = default;

void CellWorld::Step(const std::optional<DriveCommand>& command) {
  s_->torque_nm = s_->drives.Tick(command, s_->MeasuredQ());
  s_->ApplyFaults(s_->torque_nm);
  for (int i = 0; i < kAxes; ++i) s_->data->ctrl[s_->parts.actuator[At(i)]] = s_->torque_nm[At(i)];
  mj_step(s_->model.get(), s_->data.get());
  ++s_->tick;
  s_->KeepOrRecover();
  s_->RedrawSurfaces();
}

void CellWorld::Arm(double command_timeout_s) { s_->drives.Arm(command_timeout_s); }
std::optional<double> CellWorld::command_timeout_s() const { return s_->drives.command_timeout_s(); }

std::uint64_t CellWorld::tick() const { return s_->tick; }

core::Instant CellWorld::time() const { return core::FromNanoseconds(static_cast<std::int64_t>(s_->tick) * kTickNs); }

void CellWorld::SkipTo(std::uint64_t tick) { s_->tick = std::max(s_->tick, tick); }

core::JointState CellWorld::Joints() const {
  core::JointState joints{.time = time(),
                          .sequence = s_->tick,
                          .axes = kAxes,
                          .q_rad = s_->MeasuredQ(),
                          .torque_nm = s_->torque_nm,
                          .powered = s_->drives.powered()};
  for (int i = 0; i < kAxes; ++i) {
    joints.dq_rad_s[At(i)] = s_->data->qvel[s_->parts.joint_v[At(i)]];
    joints.current_a[At(i)] = s_->drives.current_a(i);
    joints.temperature_c[At(i)] = s_->drives.temperature_c(i);
  }
  return joints;
}

Truth CellWorld::Objects() const {
  Truth truth;
  for (int i = 0; i < kObjects; ++i) {
    const mjtNum* r = s_->data->xmat + 9 * s_->parts.object_body[At(i)];
    const double quarter = std::numbers::pi / 2, yaw = std::atan2(r[3], r[0]);
    truth[At(i)] = {.position_m = s_->ObjectPosition(i),
                    .yaw_rad = yaw - quarter * std::round(yaw / quarter),
                    .held = s_->Held(i),
                    .friction = s_->friction[At(i)],
                    .mass_kg = s_->mass_kg[At(i)]};
  }
  return truth;
}

core::Vec3 CellWorld::TrueTip() const {
  const mjtNum* p = s_->data->site_xpos + 3 * s_->parts.grasp;
  return {p[0], p[1], p[2]};
}

DriveState CellWorld::drive_state(int axis) const { return s_->drives.state(axis); }
double CellWorld::grip_share() const { return s_->drives.grip_share(); }

void CellWorld::Stage(std::uint64_t seed) {
  core::Random from(seed);
  s_->StageAll(from);
}

core::Result<void> CellWorld::PutBack(int object) {
  if (object < 0 || object >= kObjects)
    return core::Fail(core::FaultCode::kRefused,
                      "cell: put back object " + std::to_string(object) + ": must be 0 (red) or 1 (blue)");
  s_->PlaceObject(object, DrawOpen(kObjectEdgesM[At(object)], s_->OthersThan(object), s_->random));
  return {};
}

core::Result<void> CellWorld::Place(int object, core::Vec3 position_m, double yaw_rad) {
  if (object < 0 || object >= kObjects)
    return core::Fail(core::FaultCode::kRefused,
                      "cell: place object " + std::to_string(object) + ": must be 0 (red) or 1 (blue)");
  if (!core::IsFinite(position_m) || !std::isfinite(yaw_rad))
    return core::Fail(core::FaultCode::kNotFinite, "cell: place object: position and yaw must be finite");
  s_->PlaceObject(object, {position_m, yaw_rad});
  return {};
}

core::Result<void> CellWorld::Inject(const FaultRequest& request) {
  const std::string name(Name(request.fault));
  const int indices = request.fault == CellFault::kMove ? kObjects : kAxes;
  if (request.index < 0 || request.index >= indices)
    return core::Fail(core::FaultCode::kRefused, "cell: inject " + name + " " + std::to_string(request.index) +
                                                     ": index must be in [0, " + std::to_string(indices - 1) + "]");
  if (!(request.duration_s > 0 && request.duration_s <= kFaultDurationMaxS))
    return core::Fail(core::FaultCode::kRefused, "cell: inject " + name + " for " + std::to_string(request.duration_s) +
                                                     " s: must be in (0, 600]");
  if (request.fault == CellFault::kMove) return PutBack(request.index);
  const auto slot = static_cast<std::size_t>(request.fault);
  s_->fault_until_tick[slot] = s_->tick + static_cast<std::uint64_t>(std::ceil(request.duration_s / kTickS));
  s_->fault_index[slot] = request.index;
  return {};
}

bool CellWorld::Active(CellFault fault) const { return s_->Active(fault); }

std::string CellWorld::SaveState() const {
  std::vector<double> numbers(s_->data->qpos, s_->data->qpos + s_->model->nq);
  numbers.insert(numbers.end(), s_->friction.begin(), s_->friction.end());
  numbers.insert(numbers.end(), s_->mass_kg.begin(), s_->mass_kg.end());
  for (int i = 0; i < kAxes; ++i) numbers.push_back(s_->drives.temperature_c(i));
  std::string blob(kMagic, sizeof kMagic);
  blob.append(reinterpret_cast<const char*>(&s_->tick), sizeof s_->tick);
  blob.append(reinterpret_cast<const char*>(numbers.data()), numbers.size() * sizeof(double));
  const std::uint64_t sum = Checksum(blob.data(), blob.size());
  return blob.append(reinterpret_cast<const char*>(&sum), sizeof sum);
}

core::Result<void> CellWorld::RestoreState(const std::string& blob) {
  const std::size_t count = static_cast<std::size_t>(s_->model->nq) + 2 * kObjects + kAxes;
  const std::size_t body = sizeof kMagic + sizeof(std::uint64_t) + count * sizeof(double);
  std::uint64_t sum = 0, tick = 0;
  if (blob.size() == body + sizeof sum) std::memcpy(&sum, blob.data() + body, sizeof sum);
  if (blob.size() != body + sizeof sum || std::memcmp(blob.data(), kMagic, sizeof kMagic) != 0 ||
      sum != Checksum(blob.data(), body))
    return core::Fail(core::FaultCode::kCorruptState,
                      "cell: saved state has " + std::to_string(blob.size()) + " bytes and does not check: must be " +
                          std::to_string(body + sizeof sum) + " bytes of this version; delete it to begin afresh");
  std::vector<double> n(count);
  std::memcpy(&tick, blob.data() + sizeof kMagic, sizeof tick);
  std::memcpy(n.data(), blob.data() + sizeof kMagic + sizeof tick, count * sizeof(double));
  if (!std::all_of(n.begin(), n.end(), [](double v) { return std::isfinite(v); }))
    return core::Fail(core::FaultCode::kCorruptState, "cell: saved state is not finite; delete it to begin afresh");
  const double* rest = n.data() + s_->model->nq;
  std::copy_n(n.data(), s_->model->nq, s_->data->qpos);
  std::fill_n(s_->data->qvel, s_->model->nv, 0.0);
  s_->drives = DriveBank(s_->config.drives, s_->config.mess);
  for (int i = 0; i < kObjects; ++i) s_->SetSurface(i, {.friction = rest[i], .mass_kg = rest[kObjects + i]});
  for (int i = 0; i < kAxes; ++i) s_->drives.SetTemperature(i, rest[2 * kObjects + i]);
  s_->tick = tick;
  s_->random = core::Random(s_->config.seed ^ (tick * 0x9E3779B97F4A7C15ull));  // Not the same draws again.
  mj_forward(s_->model.get(), s_->data.get());
  s_->good_q.assign(s_->data->qpos, s_->data->qpos + s_->model->nq);
  return {};
}

const mjModel_& CellWorld::model() const { return *s_->model; }
mjData_& CellWorld::data() { return *s_->data; }
const CellConfig& CellWorld::config() const { return s_->config; }

}  // namespace nightshift::io::cell
