// SPDX-License-Identifier: Apache-2.0
#include "io/robot/cell/cell_server.h"

#include <poll.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <deque>
#include <optional>
#include <thread>
#include <utility>

#include "core/random.h"
#include "io/robot/cell/cell_recorder.h"
#include "io/robot/cell/cell_renderer.h"
#include "io/robot/cell/cell_state_file.h"
#include "io/robot/cell/cell_world.h"
#include "io/wire/convert.h"
#include "io/wire/nightshift.pb.h"
#include "io/wire/parse.h"

namespace nightshift::io::cell {
namespace {

using WallClock = std::chrono::steady_clock;
using std::chrono::milliseconds;

constexpr double kSpeedMax = 1000;
constexpr std::uint64_t kCatchUpTicksMax = 50;  // 0.2 s of lost requests are lived through, more are skipped.
constexpr milliseconds kCatchUpMax{200};        // What a cell that stood still itself lives through of it.
constexpr std::size_t kFramesPendingMax = 4;    // Requests for a frame of a later time; the oldest goes first.
constexpr milliseconds kTellEvery{1000};
constexpr milliseconds kIdleWait{20};       // How late a stop may be noticed.
constexpr double kBusLossShare = 0.1;       // While "lose_bus" is active; half of these lose the answer instead.
constexpr milliseconds kBusDelay{15};       // While "delay_bus" is active...
constexpr milliseconds kBusLongDelay{150};  // ...and now and then longer than a driver waits.
constexpr double kBusLongDelayShare = 0.1;
constexpr unsigned kCommandTimeoutMsMax = 5000;     // A longer one would stop nothing.
constexpr std::size_t kMomentsPerAnswerMax = 4096;  // Less than a MiB.
constexpr std::uint64_t kBusStream = 0xB05;         // Other draws than the world's, from the same seed.

}  // namespace

core::Result<void> Validate(const CellServerConfig& config) {
  if (auto valid = Validate(config.cell); !valid) return valid;
  if (!(config.speed >= 0 && config.speed <= kSpeedMax))
    return core::Fail(core::FaultCode::kInvalidConfig,
                      "cell: speed = " + std::to_string(config.speed) + ": must be in [0, 1000]; 0 is full speed");
  return {};
}

struct CellServer::State {
  State(const CellServerConfig& c, CellWorld w, std::optional<CellRenderer> r, Replier b, Replier cam, Replier ctl)
      : config(c),
        world(std::move(w)),
        renderer(std::move(r)),
        bus(std::move(b)),
        camera(std::move(cam)),
        control(std::move(ctl)),
        bus_random(c.cell.seed ^ kBusStream),
        recorder(std::make_unique<CellRecorder>()) {
    Restart(config.speed);
    save_tick = world.tick();
  }

  void Step(const std::optional<DriveCommand>& command) {
    world.Step(command);
    const core::JointState joints = world.Joints();
    bool following = false;
    for (int i = 0; i < kAxes; ++i) following = following || world.drive_state(i) == DriveState::kFollowing;
    recorder->Add({world.tick(), command, joints.q_rad, joints.dq_rad_s, following});
  }

  // ---- time ----
  void Restart(double speed) {
    config.speed = speed;
    paced_from = last_request = WallClock::now();
    paced_tick = world.tick();
  }

  /// Not faster than the configured speed. Falls behind without ever catching up in a burst.
  void Pace() {
    if (config.speed <= 0) return;
    const double due_s = static_cast<double>(world.tick() - paced_tick) * kTickS / config.speed;
    const auto due = paced_from + std::chrono::duration_cast<WallClock::duration>(std::chrono::duration<double>(due_s));
    const auto now = WallClock::now();
    if (due > now) {
      std::this_thread::sleep_until(due);
    } else if (now - due > milliseconds(100)) {
      paced_from = now;
      paced_tick = world.tick();
    }
  }

  /// Real time goes on for a world that nobody asks for.
  void GoOnAlone() {
    const auto silent_from = last_request + std::chrono::duration_cast<WallClock::duration>(
                                                std::chrono::duration<double, std::milli>(config.cell.silence_ms));
    const auto now = WallClock::now();
    if (now < silent_from) {
      alone_until = silent_from;
      return;
    }
    alone_until = std::max({alone_until, silent_from, now - kCatchUpMax});
    for (; alone_until < now; alone_until += std::chrono::nanoseconds(kTickNs)) {
      Step(std::nullopt);
      ++counts.ticks_alone;
    }
  }

  // ---- bus ----
  void ServeBus(const Replier::Request& request) {
    const auto asked = Parse<wire::BusRequest>(request.body);
    if (!asked || asked->protocol() != kProtocol || (asked->tick() != 0 && asked->q_rad_size() != kAxes) ||
        asked->command_timeout_ms() > kCommandTimeoutMsMax) {
      ++counts.malformed;
      return;
    }
    if (asked->tick() != 0) last_request = WallClock::now();  // Who only looks keeps nobody's time.
    if (world.Active(CellFault::kLoseBus) && bus_random.Chance(kBusLossShare / 2)) return;
    if (asked->command_timeout_ms() > 0) world.Arm(asked->command_timeout_ms() / 1e3);  // Also beside an old command.
    if (asked->tick() > world.tick()) StepTo(*asked);
    if (world.Active(CellFault::kLoseBus) && bus_random.Chance(kBusLossShare / 2)) return;
    if (world.Active(CellFault::kDelayBus))
      std::this_thread::sleep_for(bus_random.Chance(kBusLongDelayShare) ? kBusLongDelay : kBusDelay);
    Pace();
    wire::BusReply reply;
    reply.set_tick(world.tick());
    reply.set_command_timeout_ms(static_cast<unsigned>(std::lround(world.command_timeout_s().value_or(0) * 1e3)));
    Encode(world.Joints(), reply.mutable_joints());
    bus.Reply(request, reply.SerializeAsString());
  }

  void StepTo(const wire::BusRequest& asked) {
    const std::uint64_t missed = std::min(asked.tick() - world.tick() - 1, kCatchUpTicksMax);
    for (std::uint64_t i = 0; i < missed; ++i) Step(std::nullopt);
    counts.ticks_missed += missed;
    world.SkipTo(asked.tick() - 1);
    DriveCommand command{.power = asked.power_off() ? core::PowerMode::kOff : core::PowerMode::kHold};
    std::copy(asked.q_rad().begin(), asked.q_rad().end(), command.q_rad.begin());
    Step(command);
    ++counts.ticks;
  }

  // ---- camera ----
  void TakeFrameRequest(Replier::Request request) {
    const auto asked = Parse<wire::FrameRequest>(request.body);
    if (!asked || asked->protocol() != kProtocol) {
      ++counts.malformed;
      return;
    }
    if (!renderer) return;
    if (frames_pending.size() == kFramesPendingMax) frames_pending.pop_front();
    frames_pending.emplace_back(std::move(request), core::FromNanoseconds(asked->not_before_ns()));
  }

  void AnswerFrames() {
    for (auto pending = frames_pending.begin(); pending != frames_pending.end();) {
      if (pending->second > world.time()) {
        ++pending;
        continue;
      }
      const core::Frame frame = renderer->Render(world);
      wire::FrameReply reply;
      reply.set_captured_ns(core::ToNanoseconds(frame.captured));
      reply.set_sequence(frame.sequence);
      reply.set_width(static_cast<unsigned>(frame.width));
      reply.set_height(static_cast<unsigned>(frame.height));
      reply.set_rgb(frame.rgb.data(), frame.rgb.size());
      camera.Reply(pending->first, reply.SerializeAsString());
      ++counts.frames;
      pending = frames_pending.erase(pending);
    }
  }

  // ---- control ----
  core::Result<void> Obey(const wire::CellRequest& asked, wire::CellReply& reply) {
    switch (asked.what_case()) {
      case wire::CellRequest::kInject: return Inject(asked.inject());
      case wire::CellRequest::kStage: world.Stage(asked.stage().seed()); return {};
      case wire::CellRequest::kTruth: TellTruth(*reply.mutable_truth()); return {};
      case wire::CellRequest::kPutBack: return world.PutBack(static_cast<int>(asked.put_back().object()));
      case wire::CellRequest::kRecord: TellRecord(asked.record().after_tick(), *reply.mutable_record()); return {};
      case wire::CellRequest::kSpeed: return SetSpeed(asked.speed().factor());
      case wire::CellRequest::WHAT_NOT_SET: break;
    }
    return core::Fail(core::FaultCode::kMalformedMessage, "cell: a request without content; is the sender newer?");
  }

  core::Result<void> Inject(const wire::CellRequest::InjectFault& asked) {
    const auto fault = CellFaultNamed(asked.fault());
    if (!fault)
      return core::Fail(core::FaultCode::kRefused,
                        "cell: inject \"" + asked.fault() + "\": must be one of " + std::string(CellFaultNames()));
    return world.Inject({.fault = *fault, .index = static_cast<int>(asked.index()), .duration_s = asked.duration_s()});
  }

  core::Result<void> SetSpeed(double factor) {
    CellServerConfig wanted = config;
    wanted.speed = factor;
    if (auto valid = Validate(wanted); !valid) return valid;
    Restart(factor);
    return {};
  }

  void TellTruth(wire::CellReply::Truth& truth) const {
    for (const ObjectTruth& object : world.Objects()) {
      Encode(object.position_m, truth.add_objects_m());
      truth.add_held(object.held);
    }
    truth.set_time_ns(core::ToNanoseconds(world.time()));
  }

  void TellRecord(std::uint64_t after_tick, wire::CellReply::Record& record) const {
    const bool complete = recorder->After(after_tick, kMomentsPerAnswerMax, [&record](const CellMoment& moment) {
      wire::CellReply::Moment& told = *record.add_moments();
      told.set_tick(moment.tick);
      told.mutable_q_rad()->Add(moment.q_rad.begin(), moment.q_rad.begin() + kAxes);
      told.mutable_dq_rad_s()->Add(moment.dq_rad_s.begin(), moment.dq_rad_s.begin() + kAxes);
      told.set_following(moment.following);
      if (!moment.told) return;
      told.mutable_told_q_rad()->Add(moment.told->q_rad.begin(), moment.told->q_rad.begin() + kAxes);
      told.set_told_power_off(moment.told->power == core::PowerMode::kOff);
    });
    record.set_incomplete(!complete);
  }

  void ServeControl(const Replier::Request& request) {
    auto asked = Parse<wire::CellRequest>(request.body);
    wire::CellReply reply;
    core::Result<void> done;
    if (!asked || asked->protocol() != kProtocol) {
      ++counts.malformed;
      done = core::Fail(core::FaultCode::kMalformedMessage, "cell: not a request of protocol version 1");
    } else {
      done = Obey(*asked, reply);
    }
    if (!done) Encode(done.error(), reply.mutable_refused());
    if (reply.what_case() == wire::CellReply::WHAT_NOT_SET) reply.mutable_done();
    control.Reply(request, reply.SerializeAsString());
  }

  // ---- all ----
  /// A disk that is full ends no robot: the state before stays in the file, and the next try may succeed.
  void SaveWhenDue() {
    const auto every = static_cast<std::uint64_t>(config.cell.save_every_s / kTickS);
    if (config.state_file.empty() || world.tick() < save_tick + every) return;
    save_tick = world.tick();
    const auto saved = ReplaceFile(config.state_file, world.SaveState());
    counts.save_fault = saved ? std::nullopt : std::optional(saved.error());
  }

  /// Everything that has arrived. Leaves each socket just found empty, as its edge-triggered descriptor demands.
  void Drain() {
    for (bool any = true; any;) {
      any = false;
      while (auto request = bus.Receive(Wait{0})) ServeBus(*request), AnswerFrames(), any = true;
      while (auto request = camera.Receive(Wait{0})) TakeFrameRequest(std::move(*request)), AnswerFrames(), any = true;
      while (auto request = control.Receive(Wait{0})) ServeControl(*request), any = true;
    }
  }

  void WaitForMore() const {
    pollfd sockets[] = {
        {bus.descriptor(), POLLIN, 0}, {camera.descriptor(), POLLIN, 0}, {control.descriptor(), POLLIN, 0}};
    const bool alone = alone_until > last_request && WallClock::now() >= alone_until - milliseconds(1);
    poll(sockets, std::size(sockets), alone ? 2 : static_cast<int>(kIdleWait.count()));
  }

  CellServerConfig config;
  CellWorld world;
  std::optional<CellRenderer> renderer;
  Replier bus, camera, control;
  core::Random bus_random;
  std::unique_ptr<CellRecorder> recorder;
  CellCounts counts;
  std::deque<std::pair<Replier::Request, core::Instant>> frames_pending;
  WallClock::time_point paced_from, last_request, alone_until{};
  std::uint64_t paced_tick = 0;
  std::uint64_t save_tick = 0;
};

core::Result<CellServer> CellServer::Start(const CellServerConfig& config, const Endpoints& endpoints) {
  auto bus = Replier::Bind(endpoints.cell_bus);  // First: a second cell must not touch the first one's state file.
  if (!bus) return tl::make_unexpected(bus.error());
  auto camera = Replier::Bind(endpoints.cell_camera);
  if (!camera) return tl::make_unexpected(camera.error());
  auto control = Replier::Bind(endpoints.cell_control);
  if (!control) return tl::make_unexpected(control.error());
  auto world = CellWorld::Load(config.cell);
  if (!world) return tl::make_unexpected(world.error());
  if (!config.state_file.empty()) {
    auto saved = ReadFile(config.state_file);
    if (!saved) return tl::make_unexpected(saved.error());
    if (*saved) {
      if (auto restored = world->RestoreState(**saved); !restored)
        return core::Fail(restored.error().code, config.state_file + ": " + restored.error().detail);
    }
  }
  std::optional<CellRenderer> renderer;
  if (config.camera == CellCamera::kRendered) {
    auto created = CellRenderer::Create(*world);
    if (!created) return tl::make_unexpected(created.error());
    renderer = std::move(*created);
  }
  return CellServer(std::make_unique<State>(config, std::move(*world), std::move(renderer), std::move(*bus),
                                            std::move(*camera), std::move(*control)));
}

CellServer::CellServer(std::unique_ptr<State> state) : s_(std::move(state)) {}
CellServer::CellServer(CellServer&&) noexcept = default;
CellServer& CellServer::operator=(CellServer&&) noexcept = default;
CellServer::~CellServer() = default;

core::Result<void> CellServer::Run(const std::atomic<bool>& stop, const Listener& tell) {
  s_->Restart(s_->config.speed);
  auto tell_next = WallClock::now();
  while (!stop.load(std::memory_order_relaxed)) {
    s_->Drain();
    s_->GoOnAlone();
    s_->AnswerFrames();
    s_->SaveWhenDue();
    if (tell && WallClock::now() >= tell_next) {
      tell(counts());
      tell_next = WallClock::now() + kTellEvery;
    }
    s_->WaitForMore();
  }
  return s_->config.state_file.empty() ? core::Result<void>()
                                       : ReplaceFile(s_->config.state_file, s_->world.SaveState());
}

CellCounts CellServer::counts() const {
  CellCounts counts = s_->counts;
  counts.malformed += s_->bus.malformed() + s_->camera.malformed() + s_->control.malformed();
  return counts;
}

}  // namespace nightshift::io::cell
