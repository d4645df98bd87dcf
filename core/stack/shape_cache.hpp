// ShapeCache: serialises the creation of shapes, so that concurrent requests for one definition end
// up with one handle (I-39). A handle is answered only after the commit that makes it durable.
// Its start marks the end of the shapes subsystem's start: the collector's gate opens.
#pragma once

#include <memory>

#include "core/base/result.hpp"
#include "core/runtime/process.hpp"
#include "core/stack/context.hpp"
#include "core/stack/names.hpp"
#include "core/storage/store.hpp"

namespace holdfast::stack {

class ShapeCache : public runtime::Process {
 public:
  explicit ShapeCache(Context context) : context_(std::move(context)) {}

  // -- handlers -----------------------------------------------------------------------------------

  /// The live shape of this definition, made with its inner shapes if there is none. SUSPENDS.
  storage::StoreResult<protocol::ShapeHandle> create_or_find(
      std::shared_ptr<const shape::Definition> definition);

 protected:
  void init() override;

 private:
  void forget_if_removed(const protocol::ShapeHandle& handle);

  Context context_;
};

}  // namespace holdfast::stack
