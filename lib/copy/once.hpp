// Work that several threads may ask for and one of them does.
#pragma once

#include <functional>
#include <future>
#include <map>
#include <mutex>

namespace lade::copy {

template <class Key, class Value>
class Once {
 public:
  // The value of `work` for this key: computed by the first caller, awaited by the others, who get the first
  // one's exception if it failed. `first` tells which this call was.
  Value get(const Key& key, const std::function<Value()>& work, bool& first) {
    std::promise<Value> promise;
    std::shared_future<Value> future;
    {
      std::lock_guard lock(mutex_);
      auto [entry, inserted] = futures_.try_emplace(key);
      if (inserted) entry->second = promise.get_future().share();
      future = entry->second;
      first = inserted;
    }
    if (first) fulfil(promise, work);
    return future.get();
  }

 private:
  static void fulfil(std::promise<Value>& promise, const std::function<Value()>& work) {
    try {
      promise.set_value(work());
    } catch (...) {
      promise.set_exception(std::current_exception());
    }
  }

  std::mutex mutex_;
  std::map<Key, std::shared_future<Value>> futures_;
};

}  // namespace lade::copy
