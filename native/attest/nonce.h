/* The deterministic nonce of an ECDSA signature (RFC 6979 §3.2 with HMAC-SHA-256). */
#ifndef OG_ATTEST_NONCE_H
#define OG_ATTEST_NONCE_H

/*
 * A secp256k1_nonce_function that gives what libsecp256k1's own does, bit for bit, over this library's SHA-256: twenty
 * compressions one after the other are a fifth of a signature where they do not use the processor's SHA unit. Takes
 * neither algo16 nor data; returns 0, which makes the signature fail, when it is given one. Wipes what it leaves on the stack.
 */
int og_nonce(unsigned char *nonce32, const unsigned char *digest32, const unsigned char *secret32,
             const unsigned char *algo16, void *data, unsigned int attempt);

#endif
