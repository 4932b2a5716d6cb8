# What the tests of the decoder share.
target_sources(og_kernels_check PRIVATE model_fixture.c model_reference.c)
