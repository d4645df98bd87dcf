#include "sim/disk/sim_disk.hpp"

#include <utility>

#include "core/base/assert.hpp"
#include "sim/disk/mount.hpp"

namespace holdfast::sim {

SimDisk::SimDisk(SimDiskOptions options)
    : options_(std::move(options)), root_(std::make_shared<DirectoryNode>(hash64("/"))) {}

SimDisk::~SimDisk() {
  ASSERT(mounts_.empty(), "a disk outlives its mounts");
}

std::unique_ptr<Mount> SimDisk::mount(std::uint64_t incarnation) {
  return std::make_unique<Mount>(*this, incarnation, next_mount_++);
}

void SimDisk::power_loss(CrashPolicy policy) {
  for (Mount* mount : mounts_) mount->kill();
  mishaps_ += 1;
  crash_tree(*root_, policy);
}

void SimDisk::crash_tree(DirectoryNode& directory, CrashPolicy policy) {
  directory.power_loss(fates_for(directory.key(), directory.pending(), policy));
  for (const auto& [name, entry] : directory.entries()) {
    if (entry.directory) {
      crash_tree(*entry.directory, policy);
    } else {
      FileContent& content = entry.file->content;
      content.power_loss(fates_for(entry.file->key, content.pending(), policy));
    }
  }
}

Fates SimDisk::fates_for(std::uint64_t key, std::uint64_t pending, CrashPolicy policy) {
  return {options_.random, combine64(combine64(options_.path, key), mishaps_), policy, pending};
}

std::string SimDisk::normal_path(std::string_view path) {
  std::string normal;
  while (!path.empty()) {
    const std::size_t slash = path.find('/');
    const std::string_view part = path.substr(0, slash);
    path.remove_prefix(slash == std::string_view::npos ? path.size() : slash + 1);
    if (part.empty() || part == ".") continue;
    if (part == "..") {
      normal.resize(normal.empty() ? 0 : normal.rfind('/'));
      continue;
    }
    normal += '/';
    normal += part;
  }
  return normal.empty() ? "/" : normal;
}

SimDisk::Place SimDisk::locate(const std::string& path) const {
  Place place{root_, "", Entry{nullptr, root_}};
  std::size_t begin = 1;
  while (begin < path.size()) {
    const std::size_t slash = std::min(path.find('/', begin), path.size());
    place.parent = place.entry.directory;
    place.name = path.substr(begin, slash - begin);
    place.entry = place.parent ? place.parent->find(place.name) : Entry{};
    begin = slash + 1;
  }
  return place;
}

std::shared_ptr<FileNode> SimDisk::create_file(const Place& place, const std::string& path) {
  const std::uint64_t earlier = place.parent->creations_of(place.name);
  auto file = std::make_shared<FileNode>(combine64(hash64(path), earlier), Durability::durable);
  place.parent->add(place.name, Entry{file, nullptr});
  return file;
}

void SimDisk::create_directory(const Place& place, const std::string& path) {
  const std::uint64_t earlier = place.parent->creations_of(place.name);
  place.parent->add(
      place.name,
      Entry{nullptr, std::make_shared<DirectoryNode>(combine64(hash64(path), earlier))});
}

namespace {

void add_tree(RollingHash& hash, const DirectoryNode& directory) {
  hash.add(directory.entries().size());
  for (const auto& [name, entry] : directory.entries()) {
    hash.add(name);
    if (entry.directory) {
      add_tree(hash, *entry.directory);
    } else {
      hash.add(entry.file->content.size());
      hash.add(entry.file->content.text());
    }
  }
}

}  // namespace

Hash128 SimDisk::fingerprint() const {
  RollingHash hash;
  add_tree(hash, *root_);
  return hash.value();
}

}  // namespace holdfast::sim
