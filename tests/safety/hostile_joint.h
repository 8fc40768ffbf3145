// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <string_view>

#include "core/random.h"
#include "safety/checks/jerk_motion.h"
#include "tests/safety/tally.h"

/// A single joint in hostile hands: any bounds, any safe start, the worst of wishes, and a judge from outside.
namespace nightshift::safety {

inline constexpr double kHuge = 1e308;
inline constexpr double kInfinity = std::numeric_limits<double>::infinity();

/// Inside a tick, besides its end.
inline constexpr std::array kInsideShares{0.25, 0.5, 0.75};

inline double LogUniform(core::Random& random, double low, double high) {
  return std::exp(random.Uniform(std::log(low), std::log(high)));
}

inline JerkBounds AnyBounds(core::Random& random) {
  return {.q_rad_min = random.Uniform(-3, 0),
          .q_rad_max = random.Uniform(0.05, 3),
          .speed_rad_s_max = LogUniform(random, 0.02, 10),
          .acceleration_rad_s2_max = LogUniform(random, 0.2, 60),
          .jerk_rad_s3_max = LogUniform(random, 2, 2e4),
          .escape_speed_rad_s_max = 0.2,
          .tick_s = random.Uniform(5e-4, 4e-3)};
}

inline JerkMotion AnyMotion(core::Random& random, const JerkBounds& bounds) {
  const double v = bounds.speed_rad_s_max, a = bounds.acceleration_rad_s2_max;
  return {random.Uniform(bounds.q_rad_min, bounds.q_rad_max), random.Uniform(-v, v), random.Uniform(-a, a)};
}

/// Any motion that claims to be safe; at rest in the middle where none is found.
inline JerkMotion AnySafeMotion(core::Random& random, const JerkBounds& bounds) {
  for (int i = 0; i < 100; ++i) {
    const JerkMotion motion = AnyMotion(random, bounds);
    if (IsSafe(motion, bounds)) return motion;
  }
  return {.q_rad = (bounds.q_rad_min + bounds.q_rad_max) / 2};
}

inline void NoteBounds(Tally& tally, const JerkMotion& motion, const JerkBounds& bounds) {
  const auto& [q, v, a] = motion;
  tally.Note(Promise::kPosition, std::isnan(q) ? q : std::max(bounds.q_rad_min - q, q - bounds.q_rad_max));
  tally.Note(Promise::kSpeed, std::abs(v) - bounds.speed_rad_s_max);
  tally.Note(Promise::kAcceleration, std::abs(a) - bounds.acceleration_rad_s2_max);
}

/// Part of the way through a tick at constant jerk.
inline JerkMotion AtConstantJerk(const JerkMotion& now, const JerkMotion& next, double tick_s, double share) {
  const double t = share * tick_s, a = now.a_rad_s2, jerk = (next.a_rad_s2 - a) / tick_s;
  return {now.q_rad + now.v_rad_s * t + a * t * t / 2 + jerk * t * t * t / 6, now.v_rad_s + a * t + jerk * t * t / 2,
          a + jerk * t};
}

/// A joint that is driven tick by tick, and all that went wrong on the way, judged from outside.
struct Drive {
  explicit Drive(const JerkBounds& given, const JerkMotion& start = {})
      : bounds(given), now(start), stop(start, given), lowest_rad(start.q_rad), highest_rad(start.q_rad) {}

  JerkVerdict Tick(const JerkWish& wish) {
    const JerkVerdict verdict = LimitJerk(now, stop, wish, bounds);
    Judge(verdict);
    now = verdict.next;
    stop = verdict.stop;
    return verdict;
  }

  void Judge(const JerkVerdict& verdict) {
    NoteBounds(tally, verdict.next, bounds);
    for (const double share : kInsideShares) NoteBounds(tally, Inside(verdict, share), bounds);
    tally.Note(Promise::kPosition, std::max(bounds.q_rad_min - verdict.stop.q_rad_lowest(),
                                            verdict.stop.q_rad_highest() - bounds.q_rad_max));
    const double jerk = (verdict.next.a_rad_s2 - now.a_rad_s2) / bounds.tick_s;
    tally.Note(Promise::kJerk, std::abs(jerk) / bounds.jerk_rad_s3_max - 1);
    tally.Note(Promise::kContinuity, Jump(verdict));
    tally.Note(Promise::kCheckedStop, IsSafe(verdict.next, bounds) ? 0 : 1);
    tally.NoteStep(std::abs(verdict.next.v_rad_s) / bounds.speed_rad_s_max);
    lowest_rad = std::min(lowest_rad, verdict.next.q_rad);
    highest_rad = std::max(highest_rad, verdict.next.q_rad);
  }

  /// With the jerk bounded, the end of a tick can be nowhere else; and there the stop begins that ends at rest.
  double Jump(const JerkVerdict& verdict) const {
    const double h = bounds.tick_s, j = bounds.jerk_rad_s3_max;
    const double v_straight = now.v_rad_s + now.a_rad_s2 * h;
    const double q_straight = now.q_rad + now.v_rad_s * h + now.a_rad_s2 * h * h / 2;
    const JerkMotion stored = verdict.stop.At(0), rest = verdict.stop.At(verdict.stop.duration_s());
    return std::max({std::abs(verdict.next.v_rad_s - v_straight) - j * h * h / 2,
                     std::abs(verdict.next.q_rad - q_straight) - j * h * h * h / 6,
                     std::abs(stored.q_rad - verdict.next.q_rad), std::abs(stored.v_rad_s - verdict.next.v_rad_s),
                     std::abs(rest.v_rad_s), std::abs(rest.a_rad_s2)});
  }

  /// Part of the way through a tick: on the stored stop if it was followed, else at constant jerk.
  JerkMotion Inside(const JerkVerdict& verdict, double share) const {
    if (verdict.next.q_rad == stop.At(bounds.tick_s).q_rad) return stop.At(share * bounds.tick_s);
    return AtConstantJerk(now, verdict.next, bounds.tick_s, share);
  }

  /// By how much position, speed or acceleration exceeded its bound at worst.
  double Excess() const {
    return std::max(
        {tally.worst(Promise::kPosition), tally.worst(Promise::kSpeed), tally.worst(Promise::kAcceleration)});
  }

  /// Of the whole drive, which is over.
  Tally Ended() const {
    Tally whole = tally;
    whole.NoteRange((highest_rad - lowest_rad) / (bounds.q_rad_max - bounds.q_rad_min));
    return whole;
  }

  JerkBounds bounds;
  JerkMotion now;
  JointStop stop;
  Tally tally;
  double lowest_rad, highest_rad;
};

/// Hostile wishes.
enum class WishKind { kRandom, kHugeBangBang, kBangBang, kSinusoidal, kNotFinite, kStumbling, kJolting };
inline constexpr std::array kWishKinds{WishKind::kRandom,     WishKind::kHugeBangBang, WishKind::kBangBang,
                                       WishKind::kSinusoidal, WishKind::kNotFinite,    WishKind::kStumbling,
                                       WishKind::kJolting};

inline std::string_view Name(WishKind kind) {
  switch (kind) {
    case WishKind::kRandom: return "random";
    case WishKind::kHugeBangBang: return "huge bang-bang";
    case WishKind::kBangBang: return "bang-bang";
    case WishKind::kSinusoidal: return "sinusoidal";
    case WishKind::kNotFinite: return "non-finite";
    case WishKind::kStumbling: return "bang-bang, at times non-finite";
    case WishKind::kJolting: return "sinusoidal, at times huge";
  }
  return "";
}

inline double HostileWish(WishKind kind, int tick, const JerkBounds& bounds, core::Random& random) {
  constexpr std::array kExtreme{std::numeric_limits<double>::quiet_NaN(), kInfinity, -kInfinity, kHuge, -kHuge};
  const double v = bounds.speed_rad_s_max;
  switch (kind) {
    case WishKind::kRandom: return random.Uniform(-3, 3) * v;
    case WishKind::kHugeBangBang: return (tick / 97) % 2 == 0 ? kHuge : -kHuge;
    case WishKind::kBangBang: return random.Chance(0.5) ? v : -v;
    case WishKind::kSinusoidal: return 1.2 * v * std::sin(tick * 0.01);
    case WishKind::kNotFinite: return kExtreme[static_cast<std::size_t>(random.Index(5))];
    case WishKind::kStumbling: return random.Chance(0.02) ? std::nan("") : (tick / 400) % 2 == 0 ? v : -v;
    case WishKind::kJolting: return random.Chance(0.02) ? -kHuge : 0.3 * v * std::sin(tick * 0.3);
  }
  return 0;
}

/// Any joint under wishes of one kind.
inline Drive DriveHostile(core::Random& random, WishKind kind, int ticks) {
  const JerkBounds bounds = AnyBounds(random);
  Drive drive(bounds, AnySafeMotion(random, bounds));
  for (int tick = 0; tick < ticks; ++tick) drive.Tick({.v_rad_s = HostileWish(kind, tick, bounds, random)});
  return drive;
}

/// Hill climbing: a random change is kept where it does no less harm. The most harm found.
template <typename Script, typename Change, typename HarmOf>
double Climb(Script worst, int steps, const Change& change, const HarmOf& harm_of) {
  double harm = harm_of(worst);
  for (int step = 0; step < steps; ++step) {
    Script changed = worst;
    change(changed);
    const double changed_harm = harm_of(changed);
    if (changed_harm < harm) continue;
    worst = changed;
    harm = changed_harm;
  }
  return harm;
}

/// A drive as an adversary writes it: where to begin, and a few wishes, each kept for a while.
struct JointScript {
  struct Piece {
    double v_share;
    int ticks;
  };
  JerkMotion start;
  std::array<Piece, 8> pieces;
};

inline JointScript::Piece AnyPiece(core::Random& random) {
  const int ticks = random.Index(random.Chance(0.5) ? 6 : 150) + 1;
  if (random.Chance(0.1)) return {std::nan(""), ticks};
  return {random.Chance(0.5) ? random.Uniform(-1, 1) : std::copysign(1.0, random.Uniform(-1, 1)), ticks};
}

/// The worst of a joint's tally: by how much it breaks a bound.
inline double Harm(const Tally& tally) {
  if (tally.worst(Promise::kCheckedStop) > 0) return 1;
  double harm = -kInfinity;
  for (const Promise promise : kPromises)
    if (promise != Promise::kCheckedStop) harm = std::max(harm, tally.worst(promise));
  return harm;
}

/// Any bounds whose both ends are within a script's length.
inline JerkBounds AnyNarrowBounds(core::Random& random) {
  JerkBounds bounds = AnyBounds(random);
  const double reach_rad = bounds.speed_rad_s_max * bounds.tick_s * 100;
  bounds.q_rad_min = -reach_rad * random.Uniform(0.05, 1);
  bounds.q_rad_max = reach_rad * random.Uniform(0.05, 1);
  return bounds;
}

/// What a search for the worst wishes came to.
struct JointSearch {
  static constexpr int kSteps = 20;

  explicit JointSearch(core::Random& random) : bounds(AnyNarrowBounds(random)) {
    JointScript first{.start = AnySafeMotion(random, bounds), .pieces = {}};
    for (auto& piece : first.pieces) piece = AnyPiece(random);
    const auto change = [&](JointScript& script) {
      if (random.Chance(0.3)) script.start = AnySafeMotion(random, bounds);
      script.pieces[static_cast<std::size_t>(random.Index(8))] = AnyPiece(random);
    };
    harm = Climb(first, kSteps, change, [this](const JointScript& script) { return Play(script); });
  }

  double Play(const JointScript& script) {
    Drive drive(bounds, script.start);
    for (const auto& piece : script.pieces)
      for (int i = 0; i < piece.ticks; ++i) drive.Tick({.v_rad_s = piece.v_share * bounds.speed_rad_s_max});
    tally.Add(drive.Ended());
    return Harm(drive.tally);
  }

  JerkBounds bounds;
  Tally tally;  // Of all that was tried.
  double harm = -kInfinity;
};

}  // namespace nightshift::safety
