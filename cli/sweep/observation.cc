#include "cli/sweep/observation.h"

#include <cstdint>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace ipcell::cli {

namespace {

using Json = nlohmann::json;

Json to_json(const Ending& ending) {
  return {{"timed_out", ending.has_timed_out},
          {"status", ending.status},
          {"orphan", ending.orphan_signal},
          {"survivors", ending.survivors},
          {"seconds", ending.seconds},
          {"out", ending.out},
          {"err", ending.err},
          {"waits", ending.waits}};
}

Ending ending_of(const Json& json) {
  Ending ending;
  json.at("timed_out").get_to(ending.has_timed_out);
  json.at("status").get_to(ending.status);
  json.at("orphan").get_to(ending.orphan_signal);
  json.at("survivors").get_to(ending.survivors);
  json.at("seconds").get_to(ending.seconds);
  json.at("out").get_to(ending.out);
  json.at("err").get_to(ending.err);
  json.at("waits").get_to(ending.waits);
  return ending;
}

Json to_json(const SweepSite& site) {
  return {{"op", static_cast<u32>(site.op)},
          {"seen", site.seen},
          {"command", site.command},
          {"number", static_cast<std::uint64_t>(site.number)},
          {"offset", static_cast<std::uint64_t>(site.offset)},
          {"caller", site.caller},
          {"program", site.program},
          {"process", site.process},
          {"count", static_cast<std::uint64_t>(site.count)},
          {"runs", site.runs}};
}

SweepSite site_of(const Json& json) {
  SweepSite site;
  site.op = static_cast<FaultOp>(json.at("op").get<u32>());
  json.at("seen").get_to(site.seen);
  json.at("command").get_to(site.command);
  site.number = json.at("number").get<std::uint64_t>();
  site.offset = json.at("offset").get<std::uint64_t>();
  json.at("caller").get_to(site.caller);
  json.at("program").get_to(site.program);
  json.at("process").get_to(site.process);
  site.count = json.at("count").get<std::uint64_t>();
  json.at("runs").get_to(site.runs);
  return site;
}

std::string plural(u32 count, const char* name) {
  return fmt::format("{} {}{}", count, name, count == 1 ? "" : "s");
}

u32 more(u32 now, u32 before) { return now > before ? now - before : 0; }

}  // namespace

std::string describe(const ObjectCounts& counts) {
  std::vector<std::string> list;
  if (counts.queues != 0) list.push_back(plural(counts.queues, "message queue"));
  if (counts.sets != 0) list.push_back(plural(counts.sets, "semaphore set"));
  if (counts.segments != 0) list.push_back(plural(counts.segments, "segment"));
  if (counts.posix_queues != 0) list.push_back(plural(counts.posix_queues, "POSIX queue"));
  if (counts.posix_names != 0) {
    list.push_back(plural(counts.posix_names, "POSIX semaphore") + " or memory object" +
                   (counts.posix_names == 1 ? "" : "s"));
  }
  return fmt::format("{}", fmt::join(list, ", "));
}

ObjectCounts excess(const ObjectCounts& now, const ObjectCounts& before) {
  return {more(now.queues, before.queues), more(now.sets, before.sets),
          more(now.segments, before.segments), more(now.posix_queues, before.posix_queues),
          more(now.posix_names, before.posix_names)};
}

std::string pack(const Observation& seen) {
  Json json = {{"failure", seen.failure},
               {"ending", to_json(seen.ending)},
               {"left",
                {seen.left.queues, seen.left.sets, seen.left.segments, seen.left.posix_queues,
                 seen.left.posix_names}},
               {"fired", static_cast<std::uint64_t>(seen.fired)},
               {"refused", static_cast<std::uint64_t>(seen.refused)},
               {"damage", seen.damage},
               {"lost", static_cast<std::uint64_t>(seen.lost_sites)},
               {"sites", Json::array()}};
  if (seen.check) json["check"] = to_json(*seen.check);
  if (seen.restart) json["restart"] = to_json(*seen.restart);
  for (const SweepSite& site : seen.sites) json["sites"].push_back(to_json(site));
  // Texts may hold any bytes, which MessagePack does not mind.
  const std::vector<std::uint8_t> bytes = Json::to_msgpack(json);
  return std::string(bytes.begin(), bytes.end());
}

Observation unpack(const std::string& bytes) {
  const Json json = Json::from_msgpack(bytes.begin(), bytes.end());
  Observation seen;
  json.at("failure").get_to(seen.failure);
  seen.ending = ending_of(json.at("ending"));
  const std::vector<u32> left = json.at("left").get<std::vector<u32>>();
  seen.left = {left.at(0), left.at(1), left.at(2), left.at(3), left.at(4)};
  seen.fired = json.at("fired").get<std::uint64_t>();
  seen.refused = json.at("refused").get<std::uint64_t>();
  json.at("damage").get_to(seen.damage);
  seen.lost_sites = json.at("lost").get<std::uint64_t>();
  if (json.contains("check")) seen.check = ending_of(json["check"]);
  if (json.contains("restart")) seen.restart = ending_of(json["restart"]);
  for (const Json& site : json.at("sites")) seen.sites.push_back(site_of(site));
  return seen;
}

}  // namespace ipcell::cli
