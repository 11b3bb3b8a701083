// The kernel, called as docs/abi.md describes from a host that has no JavaScript: WABT's interpreter.
//   abi kernel.wasm < case > results
// case: u32 count; f64 gamma, alpha, posWeight; f32 logits[count]; u8 targets[count]
// results: f32 losses[count], gradients[count], Hessians[count]; f64 sumPositives, sumNegatives, positives, negatives
#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <iostream>
#include <iterator>
#include <string>
#include <vector>

#include "wabt/binary-reader.h"
#include "wabt/error-formatter.h"
#include "wabt/interp/binary-reader-interp.h"
#include "wabt/interp/interp.h"

using namespace wabt;
using namespace wabt::interp;

namespace {

constexpr uint32_t kSegment = 16384;
constexpr uint32_t kPage = 65536;

// Offsets in the frame.
enum : uint32_t {
  kLogits = 0,
  kTargets = 4,
  kLoss = 12,
  kGrad = 16,
  kHess = 20,
  kCount = 24,
  kFlags = 28,
  kGamma = 64,
  kAlphaPositive = 72,
  kAlphaNegative = 80,
  kPosWeight = 88,
  kGradScale = 112,
  kSumPositives = 128,
  kBad = 160,
};
constexpr uint32_t kFlagSums = 2;
constexpr uint32_t kFlagByClass = 16;

[[noreturn]] void fail(const std::string& message) {
  std::cerr << message << "\n";
  std::exit(1);
}

class Kernel {
 public:
  explicit Kernel(const char* path) {
    std::ifstream file(path, std::ios::binary);
    const std::vector<char> bytes(std::istreambuf_iterator<char>(file), {});
    ModuleDesc description;
    Errors errors;
    ReadBinaryOptions options;
    if (Failed(ReadBinaryInterp(path, bytes.data(), bytes.size(), options, &errors, &description))) {
      fail(FormatErrorsToString(errors, Location::Type::Binary));
    }
    module_ = Module::New(store_, description);
    RefPtr<Trap> trap;
    // no imports
    instance_ = Instance::Instantiate(store_, module_.ref(), {}, &trap);
    if (trap) fail(trap->message());
    memory_ = store_.UnsafeGet<Memory>(find("memory"));
  }

  Values call(const std::string& name, const Values& arguments) {
    Values results;
    RefPtr<Trap> trap;
    const auto function = store_.UnsafeGet<Func>(find(name));
    if (Failed(function->Call(store_, arguments, results, &trap))) fail(name + ": " + trap->message());
    return results;
  }

  void reserve(uint32_t bytes) {
    const auto pages = (bytes + kPage - 1) / kPage;
    if (pages > memory_->PageSize() && Failed(memory_->Grow(pages - memory_->PageSize()))) fail("memory does not grow");
  }

  template <typename T>
  void store(uint32_t address, T value) {
    std::memcpy(memory_->UnsafeData() + address, &value, sizeof value);
  }

  uint8_t* at(uint32_t address) { return memory_->UnsafeData() + address; }

 private:
  Ref find(const std::string& name) {
    const auto& exports = module_->desc().exports;
    for (size_t k = 0; k < exports.size(); k++) {
      if (exports[k].type.name == name) return instance_->exports()[k];
    }
    fail("the kernel exports no " + name);
  }

  Store store_;
  Module::Ptr module_;
  Instance::Ptr instance_;
  Memory::Ptr memory_;
};

template <typename T>
std::vector<T> read(size_t count) {
  std::vector<T> values(count);
  if (std::fread(values.data(), sizeof(T), count, stdin) != count) fail("the case is too short");
  return values;
}

template <typename T>
void write(const T* values, size_t count) {
  std::fwrite(values, sizeof(T), count, stdout);
}

}  // namespace

int main(int, char** arguments) {
  Kernel kernel(arguments[1]);
  const uint32_t total = read<uint32_t>(1)[0];
  const auto options = read<double>(3);
  const auto logits = read<float>(total);
  const auto targets = read<uint8_t>(total);

  const uint32_t frame = kernel.call("base", {})[0].Get<u32>();
  const uint32_t arrays = frame + kernel.call("workBytes", {})[0].Get<u32>();
  const uint32_t regions[] = {arrays, arrays + 4 * kSegment, arrays + 8 * kSegment, arrays + 12 * kSegment};
  const uint32_t target_region = arrays + 16 * kSegment;
  kernel.reserve(target_region + kSegment);
  std::memset(kernel.at(frame), 0, 256);
  for (uint32_t k = 0; k < 4; k++) {
    const uint32_t fields[] = {kLogits, kLoss, kGrad, kHess};
    kernel.store<uint32_t>(frame + fields[k], regions[k]);
  }
  kernel.store<uint32_t>(frame + kTargets, target_region);
  kernel.store<uint32_t>(frame + kFlags, kFlagSums | kFlagByClass);
  kernel.store<double>(frame + kGamma, options[0]);
  kernel.store<double>(frame + kAlphaPositive, options[1]);
  kernel.store<double>(frame + kAlphaNegative, 1 - options[1]);
  kernel.store<double>(frame + kPosWeight, options[2]);
  kernel.store<double>(frame + kGradScale, 1);

  std::vector<float> outputs[3];
  double sums[4] = {};
  for (uint32_t start = 0; start < total; start += kSegment) {
    const uint32_t count = std::min(kSegment, total - start);
    std::memcpy(kernel.at(regions[0]), logits.data() + start, 4 * count);
    std::memcpy(kernel.at(target_region), targets.data() + start, count);
    kernel.store<uint32_t>(frame + kCount, count);
    kernel.call("binary", {Value::Make(frame)});
    if (*kernel.at(frame + kBad) != 0) fail("a target is outside its range");
    for (uint32_t k = 0; k < 3; k++) {
      const auto* values = reinterpret_cast<const float*>(kernel.at(regions[k + 1]));
      outputs[k].insert(outputs[k].end(), values, values + count);
    }
    double parts[4];
    std::memcpy(parts, kernel.at(frame + kSumPositives), sizeof parts);
    for (uint32_t k = 0; k < 4; k++) sums[k] += parts[k];
  }
  for (const auto& output : outputs) write(output.data(), output.size());
  write(sums, 4);
}
