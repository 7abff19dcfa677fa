// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <systemc>

#include "abi/address.h"
#include "cpu/native/native_cpu.h"
#include "dma_ops/call_form.h"

/// The DMA operations of a guest's kernel: Linux's struct dma_map_ops as a SystemC interface. The module bound to a
/// port of this type is the experiment.
namespace pefsim::dma_ops {

using abi::dma_addr;
using abi::phys_addr;
using cpu::native::native_cpu;

/// enum dma_data_direction.
enum class dma_data_direction : std::uint8_t { bidirectional, to_device, from_device };
constexpr std::string_view to_name(dma_data_direction direction) {
    switch (direction) {
    case dma_data_direction::bidirectional:
        return "BIDIRECTIONAL";
    case dma_data_direction::to_device:
        return "TO_DEVICE";
    case dma_data_direction::from_device:
        return "FROM_DEVICE";
    }
    return "?";
}

/// Attributes of a mapping (DMA_ATTR_*), bits.
inline constexpr unsigned dma_attr_skip_cpu_sync = 1;

/// What map_page returns when it fails (DMA_MAPPING_ERROR).
inline constexpr dma_addr dma_mapping_error{~std::uint64_t{0}};

/// A device as the DMA API sees it (struct device's DMA fields). It outlives its mappings.
struct dma_device {
    std::string name;         ///< "virtio-blk0"
    std::uint64_t liobn = 0;  ///< logical I/O bus number of its DMA window
    std::uint64_t dma_mask = ~std::uint64_t{0};
    std::uint64_t min_align_mask = 0;  ///< low address bits that a mapping must keep
    /// What operations that give physical addresses add to them: the base of the device's direct window, or 0 where
    /// the device is not translated (powerpc: archdata.dma_offset).
    std::uint64_t dma_offset = 0;
    call_form calls = call_form::direct;  ///< how its driver gets to the operations
};

/// A buffer that CPU and device share for as long as it exists (dma_alloc_coherent).
struct coherent_buffer {
    phys_addr cpu_address;
    dma_addr device_address;
};

/// One segment of a scatter-gather list; map_sg fills in `dma`.
struct scatterlist {
    phys_addr page;      ///< address of the segment's first byte
    std::size_t length;  ///< bytes
    dma_addr dma{};
};

/// struct dma_map_ops. Every call runs on `cpu`, in its time; misuse (unmap of what is not mapped, other size or
/// direction) is a violation in the log and otherwise without effect.
class dma_ops_if : public virtual sc_core::sc_interface {
public:
    /// Name of the module's operations: "direct", "swiotlb", "iommu".
    [[nodiscard]] virtual std::string_view operations() const = 0;

    /// Bus addresses are guest physical ones, plus dma_device::dma_offset; else the operations translate themselves.
    [[nodiscard]] virtual bool physical_addresses() const { return true; }

    /// Boot: sets up what the operations need (swiotlb: the pool, shared with the host once the guest is secure). The
    /// kernel calls it on its boot CPU before any other operation and again after it has become secure; it does what is
    /// not done yet.
    virtual void setup(native_cpu& /*cpu*/) {}

    /// \param size bytes, rounded up to whole pages by the module; nothing when memory or bus addresses run out
    virtual std::optional<coherent_buffer> alloc(native_cpu& cpu, dma_device& device, std::size_t size) = 0;
    virtual void free(native_cpu& cpu, dma_device& device, std::size_t size,
                      const coherent_buffer& buffer) = 0;

    /// \param page,offset Linux's pair: address of the page (or of its first byte) and offset into it
    /// \returns the address the device may use, or dma_mapping_error
    virtual dma_addr map_page(native_cpu& cpu, dma_device& device, phys_addr page, std::size_t offset,
                              std::size_t size, dma_data_direction direction, unsigned attributes) = 0;
    virtual void unmap_page(native_cpu& cpu, dma_device& device, dma_addr address, std::size_t size,
                            dma_data_direction direction, unsigned attributes) = 0;

    /// Maps all segments or none. \returns the number mapped; 0 on failure
    virtual std::size_t map_sg(native_cpu& cpu, dma_device& device, std::span<scatterlist> list,
                               dma_data_direction direction, unsigned attributes) = 0;
    virtual void unmap_sg(native_cpu& cpu, dma_device& device, std::span<scatterlist> list,
                          dma_data_direction direction, unsigned attributes) = 0;

    virtual void sync_single_for_cpu(native_cpu& cpu, dma_device& device, dma_addr address, std::size_t size,
                                     dma_data_direction direction) = 0;
    virtual void sync_single_for_device(native_cpu& cpu, dma_device& device, dma_addr address,
                                        std::size_t size, dma_data_direction direction) = 0;

    [[nodiscard]] virtual bool mapping_error(dma_addr address) const { return address == dma_mapping_error; }
    /// Largest mapping in bytes; SIZE_MAX when there is no limit.
    [[nodiscard]] virtual std::size_t max_mapping_size(const dma_device& device) const = 0;
};

/// Pages of guest RAM for whoever needs them in the kernel (alloc_pages). Implemented by the guest's kernel.
class page_allocator_if : public virtual sc_core::sc_interface {
public:
    /// \param size bytes  \param alignment a power of two  \returns nothing when no such run of free memory is left
    virtual std::optional<phys_addr> alloc_pages(std::size_t size, std::size_t alignment) = 0;
    virtual void free_pages(phys_addr at, std::size_t size) = 0;
};

/// Where messages of the kernel go (printk). Implemented by the guest's kernel.
class kernel_log_if : public virtual sc_core::sc_interface {
public:
    /// \param message one line, without the newline
    virtual void printk(native_cpu& cpu, std::string_view message) = 0;
};

}  // namespace pefsim::dma_ops
