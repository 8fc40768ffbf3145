// SPDX-License-Identifier: Apache-2.0
#include "safety/audit_runs.h"

#include <sodium.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <utility>

namespace nightshift::safety {
namespace {

static_assert(std::endian::native == std::endian::little, "the layout is written down for such a machine");

constexpr std::string_view kKey = "nightshift-audit";
static_assert(kKey.size() == crypto_shorthash_KEYBYTES);

/// Numbers side by side, as many as an input can have.
class Layout {
 public:
  template <typename T>
  void Add(T value) {
    static_assert(sizeof value == sizeof(std::uint64_t));
    std::memcpy(&words_[size_++], &value, sizeof value);
  }
  std::uint64_t Hash() const {
    std::array<unsigned char, crypto_shorthash_BYTES> hash;
    crypto_shorthash(hash.data(), reinterpret_cast<const unsigned char*>(words_.data()), size_ * sizeof words_[0],
                     reinterpret_cast<const unsigned char*>(kKey.data()));
    return std::bit_cast<std::uint64_t>(hash);
  }

 private:
  static constexpr std::size_t kWordsMax = 13 + 6 * core::kAxesMax;
  std::array<std::uint64_t, kWordsMax> words_;
  std::size_t size_ = 0;
};

/// Of a proposal that may claim any number of axes.
std::size_t AxesOf(int axes) { return static_cast<std::size_t>(std::clamp(axes, 0, core::kAxesMax)); }

void Add(const core::JointState& seen, Layout& layout) {
  layout.Add(static_cast<std::int64_t>(seen.axes));
  layout.Add(seen.sequence);
  layout.Add(std::uint64_t{seen.powered ? 1u : 0u});
  for (std::size_t i = 0; i < AxesOf(seen.axes); ++i) {
    layout.Add(seen.q_rad[i]);
    layout.Add(seen.dq_rad_s[i]);
    layout.Add(seen.torque_nm[i]);
    layout.Add(seen.current_a[i]);
    layout.Add(seen.temperature_c[i]);
  }
}

void Add(const core::ProposedAction& wanted, Layout& layout) {
  layout.Add(static_cast<std::int64_t>(wanted.axes));
  layout.Add(wanted.epoch);
  layout.Add(wanted.sequence);
  layout.Add(core::ToNanoseconds(wanted.deadline));
  layout.Add(wanted.risk_scale);
  for (std::size_t i = 0; i < AxesOf(wanted.axes); ++i) layout.Add(wanted.target_q_rad[i]);
}

}  // namespace

std::uint64_t HashOf(const TickInput& input, std::uint64_t before) {
  Layout layout;
  layout.Add(before);
  layout.Add(core::ToNanoseconds(input.now));
  if (input.seen) {
    Add(*input.seen, layout);
  } else {
    layout.Add(std::int64_t{0});
  }
  if (input.wanted) {
    Add(*input.wanted, layout);
  } else {
    layout.Add(std::int64_t{0});
  }
  layout.Add(static_cast<std::int64_t>(input.person.presence));
  layout.Add(input.person.distance_m);
  layout.Add(input.person.speed_scale);
  return layout.Hash();
}

std::optional<AuditRecord> AuditRuns::Add(const Judgement& judged, const TickInput& input,
                                          const core::LatchReport& latch) {
  const bool ends_a_stop = was_latched_ && !latch.latched();
  was_latched_ = latch.latched();
  if (judged.verdict == core::Verdict::kPass && !ends_a_stop) return Finish();
  AuditRecord tick{.at = input.now,
                   .verdict = judged.verdict,
                   .limit = judged.limit,
                   .axis = judged.axis,
                   .wanted = judged.wanted,
                   .allowed = judged.allowed,
                   .ticks = 1,
                   .sequence = judged.sequence,
                   .latch = latch};
  const bool goes_on = GoesOn(tick);
  auto completed = goes_on ? std::nullopt : Finish();
  tick.input_hash = HashOf(input, goes_on ? run_->input_hash : 0);
  if (goes_on && run_->ticks > 0) {
    tick.ticks += run_->ticks;
    if (run_->margin() <= judged.margin()) {
      tick.wanted = run_->wanted;
      tick.allowed = run_->allowed;
    }
  }
  run_ = tick;
  return completed;
}

bool AuditRuns::GoesOn(const AuditRecord& tick) const {
  return run_ && run_->verdict == tick.verdict && run_->limit == tick.limit && run_->axis == tick.axis &&
         run_->sequence == tick.sequence && run_->latch.id == tick.latch.id;
}

std::optional<AuditRecord> AuditRuns::EndPeriod() {
  if (!run_ || run_->ticks == 0 || (told_ && run_->ticks < kTicksMax)) return std::nullopt;
  told_ = true;
  const AuditRecord record = *run_;
  run_->ticks = 0;
  return record;
}

std::optional<AuditRecord> AuditRuns::Finish() {
  told_ = false;
  auto run = std::exchange(run_, std::nullopt);
  return run && run->ticks > 0 ? run : std::nullopt;
}

}  // namespace nightshift::safety
