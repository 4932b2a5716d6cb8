# What the tests of the decoder share.
target_sources(og_kernels_check PRIVATE model_fixture.c model_reference.c)

if(NOT OG_SANITIZE) # the sanitizers export symbols of their own
  add_test(NAME kernels.exports_equal_the_header
    COMMAND ${PROJECT_SOURCE_DIR}/native/tests/exports.sh ${CMAKE_NM} $<TARGET_FILE:og_kernels> ${PROJECT_SOURCE_DIR}/native/include/og_kernels.h OGK_API ogk_)
endif()
