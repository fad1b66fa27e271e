// What Swift's importer cannot see of OpenSSL's headers (macros as functions), and the few calls
// that OpenSSL 3.0 marks as deprecated and that we use with a reason.
#ifndef ASSETD_COPENSSL_SHIM_H
#define ASSETD_COPENSSL_SHIM_H
#include <openssl/bio.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/sha.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

// SHA-256 by its plain structure: no fetch, no malloc, copyable in the middle. EVP offers none of
// the three (EVP_MAC 855 ns a token, these 89), and both end in the same SHA-NI block function.
#pragma clang diagnostic push
#pragma clang diagnostic ignored "-Wdeprecated-declarations"
static inline void copenssl_sha256_init(SHA256_CTX *c) { (void)SHA256_Init(c); }
static inline void copenssl_sha256_update(SHA256_CTX *c, const void *bytes, size_t count) {
  (void)SHA256_Update(c, bytes, count);
}
static inline void copenssl_sha256_final(unsigned char *digest, SHA256_CTX *c) {
  (void)SHA256_Final(digest, c);
}
#pragma clang diagnostic pop

// Macros over SSL_CTX_ctrl(3), SSL_ctrl and BIO_ctrl(3), and constants that hold a cast.
static inline int copenssl_configure(SSL_CTX *c) {
  SSL_CTX_set_options(c, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
  SSL_CTX_set_mode(c, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE |
                          SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  // Else one SSL_read takes all the records without plaintext that a peer cares to send.
  SSL_CTX_clear_mode(c, SSL_MODE_AUTO_RETRY);
  SSL_CTX_set_session_cache_mode(c, SSL_SESS_CACHE_OFF);
  return SSL_CTX_set_min_proto_version(c, TLS1_2_VERSION) == 1;
}
static inline int copenssl_set_server_name(SSL *s, const char *name) {
  return (int)SSL_set_tlsext_host_name(s, name);
}
// What an empty memory BIO says: -1 "more will come", 0 "that was the end" (BIO_s_mem(3)).
static inline void copenssl_set_empty_result(BIO *b, int result) {
  BIO_set_mem_eof_return(b, result);
}

// ALPN (RFC 7301): a client offers HTTP/1.1 alone, a server takes it or refuses.
static const unsigned char copenssl_http1[] = "\x08http/1.1";
static inline int copenssl_offer_http1(SSL_CTX *c) {
  return SSL_CTX_set_alpn_protos(c, copenssl_http1, 9) == 0;
}
static inline int copenssl_choose_http1(SSL *s, const unsigned char **out, unsigned char *length,
                                        const unsigned char *in, unsigned int count, void *unused) {
  (void)s, (void)unused;
  unsigned char *chosen = NULL;
  int found = SSL_select_next_proto(&chosen, length, copenssl_http1, 9, in, count);
  *out = chosen;
  return found == OPENSSL_NPN_NEGOTIATED ? SSL_TLSEXT_ERR_OK : SSL_TLSEXT_ERR_ALERT_FATAL;
}
static inline void copenssl_accept_http1(SSL_CTX *c) {
  SSL_CTX_set_alpn_select_cb(c, copenssl_choose_http1, NULL);
}
#endif
