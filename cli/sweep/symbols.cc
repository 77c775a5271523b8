#include "cli/sweep/symbols.h"

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <elf.h>
#include <fstream>
#include <iterator>
#include <map>
#include <memory>

#include <fmt/format.h>

#include "cli/preload_check.h"
#include "cli/sweep/result.h"

namespace ipcell::cli {

namespace {

constexpr std::size_t kLargestFile = 512 * 1024 * 1024;

// An ELF file's functions, by address.
class Functions {
 public:
  explicit Functions(const std::string& path) {
    std::ifstream file(path, std::ios::binary | std::ios::ate);
    if (!file || static_cast<std::size_t>(file.tellg()) > kLargestFile) return;
    file.seekg(0);
    bytes_.assign(std::istreambuf_iterator<char>(file), {});
    if (bytes_.size() < EI_NIDENT || std::memcmp(bytes_.data(), ELFMAG, SELFMAG) != 0) return;
    if (bytes_[EI_CLASS] == ELFCLASS64) read<Elf64_Ehdr, Elf64_Phdr, Elf64_Shdr, Elf64_Sym>();
    if (bytes_[EI_CLASS] == ELFCLASS32) read<Elf32_Ehdr, Elf32_Phdr, Elf32_Shdr, Elf32_Sym>();
    bytes_.clear();
  }

  // What the file's addresses begin with, where the loader's offsets begin with 0.
  u64 base() const { return base_; }
  // The function that the address is in; empty if that is not known.
  std::string find(u64 address) const {
    const auto next = starts_.upper_bound(address);
    if (next == starts_.begin()) return "";
    const Function& function = std::prev(next)->second;
    return address < function.end ? function.name : "";
  }

 private:
  struct Function {
    u64 end;
    std::string name;
  };

  // The record at `offset`, if it is inside of the file.
  template <class Record>
  bool get(u64 offset, Record* record) const {
    if (offset > bytes_.size() || bytes_.size() - offset < sizeof(Record)) return false;
    std::memcpy(record, bytes_.data() + offset, sizeof(Record));
    return true;
  }
  template <class Header, class Segment, class Section, class Symbol>
  void read() {
    Header header;
    if (!get(0, &header)) return;
    base_ = ~0ull;
    for (unsigned n = 0; n < header.e_phnum; ++n) {
      Segment segment;
      if (!get(header.e_phoff + n * sizeof segment, &segment) || segment.p_type != PT_LOAD)
        continue;
      base_ = std::min<u64>(base_, segment.p_vaddr & ~0xfffull);
    }
    if (base_ == ~0ull) base_ = 0;
    for (unsigned n = 0; n < header.e_shnum; ++n) {
      Section section, names;
      if (!get(header.e_shoff + n * sizeof section, &section)) return;
      const bool has_symbols = section.sh_type == SHT_SYMTAB || section.sh_type == SHT_DYNSYM;
      if (!has_symbols || !get(header.e_shoff + section.sh_link * sizeof names, &names)) continue;
      read_symbols<Section, Symbol>(section, names);
    }
  }
  template <class Section, class Symbol>
  void read_symbols(const Section& section, const Section& names) {
    for (u64 offset = 0; offset + sizeof(Symbol) <= section.sh_size; offset += sizeof(Symbol)) {
      Symbol symbol;
      if (!get(section.sh_offset + offset, &symbol)) return;
      const u64 name = u64{names.sh_offset} + symbol.st_name;
      if ((symbol.st_info & 0xf) != STT_FUNC || symbol.st_size == 0 || name >= bytes_.size())
        continue;
      const char* const text = bytes_.data() + name;
      starts_[symbol.st_value] = {u64{symbol.st_value} + symbol.st_size,
                                  std::string(text, strnlen(text, bytes_.size() - name))};
    }
  }

  std::vector<char> bytes_;
  u64 base_ = 0;
  std::map<std::uint64_t, Function> starts_;
};

// The file of that name: the program itself, or one that is found as programs are. Libraries are
// looked for beside the program alone.
std::string find_file(const std::string& name, const std::string& program) {
  const std::string path = find_program(program);
  const std::size_t slash = path.rfind('/');
  const std::string folder = slash == std::string::npos ? "" : path.substr(0, slash + 1);
  if (path.substr(folder.size()) == name) return path;
  if (std::ifstream(folder + name)) return folder + name;
  return find_program(name);
}

// "worker.c:42" of each address, by addr2line(1); nothing of those that it does not know.
std::vector<std::string> find_lines(const std::string& path, const std::vector<u64>& addresses) {
  std::vector<std::string> lines(addresses.size());
  const std::string tool = find_program("addr2line");
  if (tool.empty()) return lines;
  std::string command = fmt::format("{} -s -e {}", quote(tool), quote(path));
  for (const u64 address : addresses) command += fmt::format(" {:#x}", address);
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> output(
      popen((command + " 2>/dev/null").c_str(), "r"), pclose);
  char text[1000];
  for (std::string& line : lines) {
    if (!output || std::fgets(text, sizeof text, output.get()) == nullptr) break;
    line = text;
    // Behind a blank stands which of several pieces of one line it is.
    line = line.substr(0, line.find_first_of(" \n"));
    const bool is_known = line.find('?') == std::string::npos && !line.ends_with(":0");
    if (!is_known) line.clear();
  }
  return lines;
}

void find_places_in(const std::string& path, const std::vector<SweepSite*>& sites) {
  const Functions functions(path);
  std::vector<u64> addresses;
  // Where a call returns to may be the next line, or function, already.
  for (const SweepSite* site : sites) addresses.push_back(site->offset + functions.base() - 1);
  const std::vector<std::string> lines = find_lines(path, addresses);
  for (std::size_t n = 0; n < sites.size(); ++n) {
    std::string& place = sites[n]->place;
    place = functions.find(addresses[n]);
    if (!lines[n].empty()) place += (place.empty() ? "" : ", ") + lines[n];
  }
}

}  // namespace

void find_places(std::vector<SweepSite>& sites, const std::string& program) {
  std::map<std::string, std::vector<SweepSite*>> by_file;
  for (SweepSite& site : sites) {
    if (!site.caller.empty() && site.caller != "?") by_file[site.caller].push_back(&site);
  }
  for (const auto& [name, found] : by_file) {
    const std::string path = find_file(name, program);
    // More would be too much for a command line.
    constexpr std::size_t kMost = 2000;
    if (!path.empty() && found.size() <= kMost) find_places_in(path, found);
  }
}

}  // namespace ipcell::cli
