# The decoder around the linear layers. The bodies in ops_table.h are compiled once per instruction set.
target_sources(og_kernels_objects PRIVATE
  attention_plan.c config.c error.c forward.c load.c model.c ops.c ops_scalar.c ops_avx2.c ops_avx512.c region.c rope.c step.c tensors.c)
if(NOT OG_SANITIZE)
  set(og_ops_flags -O3) # said per source, whose own options come last, behind those that all of native/ shares
endif()
set_source_files_properties(ops_scalar.c PROPERTIES COMPILE_OPTIONS "${og_ops_flags}")
set_source_files_properties(ops_avx2.c PROPERTIES COMPILE_OPTIONS "${og_ops_flags};-mavx2;-mfma;-mf16c")
set_source_files_properties(ops_avx512.c PROPERTIES COMPILE_OPTIONS "${og_ops_flags};-mavx2;-mfma;-mf16c;-mavx512f;-mavx512bw;-mavx512dq;-mavx512vl")
# A square root is an instruction, rounded as IEEE 754 says; only its errno would need the mathematical library.
target_compile_options(og_kernels_objects PRIVATE -fno-math-errno)
