# Linear layers, instruction sets, threads.
target_sources(og_kernels_objects PRIVATE
  isa.c linear.c linear_pack.c linear_scalar.c linear_avx2.c linear_avx512.c linear_amx.c linear_amx_int.c pool.c)
if(OG_SANITIZE)
  set(og_optimized -fno-var-tracking) # many copies, each unrolled: debug locations would take minutes
else()
  set(og_optimized -O3) # after the flags of all targets, which say -O2
endif()
set(og_avx512 -mavx2 -mfma -mf16c -mavx512f -mavx512bw -mavx512dq -mavx512vl -mavx512vnni -mprefer-vector-width=512)
set_source_files_properties(linear_pack.c PROPERTIES COMPILE_OPTIONS "${og_optimized}")
set_source_files_properties(linear_avx2.c PROPERTIES COMPILE_OPTIONS "${og_optimized};-mavx2;-mfma;-mf16c")
set_source_files_properties(linear_avx512.c PROPERTIES COMPILE_OPTIONS "${og_optimized};${og_avx512}")
set_source_files_properties(linear_amx.c linear_amx_int.c PROPERTIES COMPILE_OPTIONS "${og_optimized};${og_avx512};-mamx-tile;-mamx-int8;-mamx-bf16")
