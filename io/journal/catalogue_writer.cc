// SPDX-License-Identifier: Apache-2.0
#include "io/journal/catalogue_writer.h"

#include <algorithm>
#include <string>

#include "io/journal/blob.h"
#include "io/journal/rows.h"
#include "io/journal/schema.h"

namespace nightshift::io {

using core::Result;

Result<CatalogueWriter> CatalogueWriter::Open(const std::filesystem::path& data_directory) {
  const std::filesystem::path path = CatalogueFile(data_directory);
  if (!std::filesystem::exists(path)) {
    const auto days = DayFilesIn(data_directory);
    auto made = CreateFile(path, FileKind::kCatalogue, days.empty() ? "" : days.rbegin()->second);
    if (!made) return tl::make_unexpected(made.error());
  }
  if (auto upgraded = Upgrade(path); !upgraded) return tl::make_unexpected(upgraded.error());
  auto database = OpenForWriting(path);
  if (!database) return tl::make_unexpected(database.error());
  auto check = database->Prepare("PRAGMA quick_check(1)");
  if (!check) return tl::make_unexpected(check.error());
  const auto row = check->Step();
  if (!row) return tl::make_unexpected(row.error());
  if (const std::string word = *row ? check->Text(0) : "no answer"; word != "ok")
    return core::Fail(core::FaultCode::kCorruptState,
                      path.string() + ": is damaged (" + word +
                          "); move it away and start again: it is made anew from the newest day file");
  check->Reset();
  return CatalogueWriter(std::move(*database));
}

Result<core::Catalogue> CatalogueWriter::Load() { return ReadCatalogue(database_); }

Result<void> CatalogueWriter::SaveTask(const core::TaskSpec& task) {
  auto save = database_.Prepare(
      "INSERT INTO task(name, start, success, failure, time_limit_ns, goal, script, signature, failure_kind, "
      "inherits_from) VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT(name) DO UPDATE SET start = excluded.start, "
      "success = excluded.success, failure = excluded.failure, time_limit_ns = excluded.time_limit_ns, "
      "goal = excluded.goal, script = excluded.script, signature = excluded.signature, "
      "failure_kind = excluded.failure_kind, inherits_from = excluded.inherits_from");
  if (!save) return tl::make_unexpected(save.error());
  save->Bind(task.name).Bind(task.start).Bind(task.success).Bind(task.failure);
  save->Bind(std::int64_t{task.time_limit.count()}).Bind(core::Name(task.goal)).Bind(task.script);
  save->Bind(task.signature).Bind(task.failure_kind).Bind(task.inherits_from);
  return save->Run();
}

Result<void> CatalogueWriter::SaveCompetence(const core::Competence& competence, std::int64_t episode) {
  auto transaction = Transaction::Begin(database_);
  if (!transaction) return tl::make_unexpected(transaction.error());
  auto save = database_.Prepare("INSERT OR REPLACE INTO competence VALUES(?, ?, ?, ?, ?, ?)");
  if (!save) return tl::make_unexpected(save.error());
  save->Bind(competence.task).Bind(core::Name(competence.skill)).Bind(competence.successes);
  save->Bind(competence.failures).Bind(competence.attempts).Bind(competence.solved);
  if (auto saved = save->Run(); !saved) return saved;
  const auto last = ReadMeta(database_, "last_episode");
  if (!last) return tl::make_unexpected(last.error());
  if (auto noted = WriteMeta(database_, "last_episode", std::max(*last, episode)); !noted) return noted;
  return transaction->Commit();
}

Result<void> CatalogueWriter::RecordFailure(const core::FailureRecord& failure, int kept_per_signature) {
  const auto state = ObservationBlob(failure.state);
  if (!state) return tl::make_unexpected(state.error());
  auto transaction = Transaction::Begin(database_);
  if (!transaction) return tl::make_unexpected(transaction.error());
  auto save = database_.Prepare("INSERT OR REPLACE INTO failure VALUES(?, ?, ?, ?, ?, ?, ?, ?)");
  auto prune = database_.Prepare(
      "DELETE FROM failure WHERE signature = ?1 AND id NOT IN "
      "(SELECT id FROM failure WHERE signature = ?1 ORDER BY id DESC LIMIT ?2)");
  auto count = database_.Prepare(
      "INSERT INTO failure_tally VALUES(?, ?, 1) ON CONFLICT(signature) DO UPDATE SET seen = seen + 1");
  for (const auto* statement : {&save, &prune, &count})
    if (!*statement) return tl::make_unexpected(statement->error());
  save->Bind(failure.id != 0 ? std::optional(failure.id) : std::nullopt).Bind(failure.episode).Bind(failure.kind);
  save->Bind(failure.signature).Bind(failure.task).Bind(std::int64_t{failure.object});
  save->Bind(core::ToNanoseconds(failure.at)).BindBlob(*state);
  prune->Bind(failure.signature).Bind(std::int64_t{kept_per_signature});
  count->Bind(failure.signature).Bind(failure.kind);
  for (auto* statement : {&save, &prune, &count})
    if (auto run = (*statement)->Run(); !run) return run;
  return transaction->Commit();
}

Result<void> CatalogueWriter::SaveIntervention(const core::InterventionRecord& intervention) {
  auto save = database_.Prepare("INSERT OR REPLACE INTO intervention VALUES(?, ?, ?, ?, ?)");
  if (!save) return tl::make_unexpected(save.error());
  save->Bind(intervention.id != 0 ? std::optional(intervention.id) : std::nullopt).Bind(intervention.reason);
  save->Bind(std::int64_t{intervention.object}).Bind(core::ToNanoseconds(intervention.asked));
  save->Bind(intervention.resolved ? std::optional(core::ToNanoseconds(*intervention.resolved)) : std::nullopt);
  return save->Run();
}

Result<void> CatalogueWriter::SaveSnapshot(const core::SnapshotRecord& snapshot) {
  auto save = database_.Prepare("INSERT OR REPLACE INTO snapshot VALUES(?, ?, ?, ?, ?, ?)");
  if (!save) return tl::make_unexpected(save.error());
  save->Bind(snapshot.task).Bind(snapshot.version).Bind(snapshot.state).Bind(snapshot.sha256);
  save->Bind(snapshot.attempts).Bind(snapshot.solved);
  return save->Run();
}

Result<void> CatalogueWriter::SavePractised(core::Duration practised) {
  return WriteMeta(database_, "practised_ns", practised.count());
}

Result<core::Duration> CatalogueWriter::Practised() {
  const auto practised_ns = ReadMeta(database_, "practised_ns");
  if (!practised_ns) return tl::make_unexpected(practised_ns.error());
  return core::Duration(*practised_ns);
}

Result<std::int64_t> CatalogueWriter::BeginSession(std::int64_t used) {
  const auto last = ReadMeta(database_, "session");
  if (!last) return tl::make_unexpected(last.error());
  const std::int64_t session = std::max(*last, used) + 1;
  if (auto noted = WriteMeta(database_, "session", session); !noted) return tl::make_unexpected(noted.error());
  return session;
}

}  // namespace nightshift::io
