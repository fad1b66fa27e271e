// Certificates for calls over TLS: P-256, made once with the openssl command, valid from 2020 to
// 2120 unless said otherwise. They stand here as text so that the tests need neither it nor a
// clock.

enum Certificates {
  /// The authority that a client trusts in these tests.
  static let authority = """
    -----BEGIN CERTIFICATE-----
    MIIBlzCCAT2gAwIBAgIUXAu8RqmaLIREvSP8e2GSKpZirdIwCgYIKoZIzj0EAwIw
    IDEeMBwGA1UEAwwVYXNzZXRkIHRlc3QgYXV0aG9yaXR5MCAXDTIwMDEwMTAwMDAw
    MFoYDzIxMjAwMTAxMDAwMDAwWjAgMR4wHAYDVQQDDBVhc3NldGQgdGVzdCBhdXRo
    b3JpdHkwWTATBgcqhkjOPQIBBggqhkjOPQMBBwNCAARwzTgNnMyBDsVgqLNzSBCr
    MId/c5WUVQCw7m1HbvZpf37vLs8YDFslBQ2H/hJ1xkTZ+E1ryDylnOgOOBFCtLct
    o1MwUTAPBgNVHRMBAf8EBTADAQH/MB0GA1UdDgQWBBRSMwmOKPixazr2C52oE6+0
    Hu3kuTAfBgNVHSMEGDAWgBRSMwmOKPixazr2C52oE6+0Hu3kuTAKBggqhkjOPQQD
    AgNIADBFAiEA/MML6jbkzUUZWdSQLWKY7r94zv7r6N0v3VFRcMqN7xsCICrSgkeR
    0gFZ/Zjwzm3jqDZNjGOh3pK0I+lhstfUVXMw
    -----END CERTIFICATE-----
    """

  /// Signed by the authority for assets.test, *.wild.test, 127.0.0.1 and ::1.
  static let good = """
    -----BEGIN CERTIFICATE-----
    MIIByjCCAW+gAwIBAgIUYCrkFAuF5IMzYU+z7To7WW5DjcQwCgYIKoZIzj0EAwIw
    IDEeMBwGA1UEAwwVYXNzZXRkIHRlc3QgYXV0aG9yaXR5MCAXDTIwMDEwMTAwMDAw
    MFoYDzIxMjAwMTAxMDAwMDAwWjAWMRQwEgYDVQQDDAthc3NldHMudGVzdDBZMBMG
    ByqGSM49AgEGCCqGSM49AwEHA0IABDxN7tK4V2qc7c9P1N23jttqf18E+LIwii/c
    Jy4y5YGj+R4g+Po2pSt23ngfU98tgqsrjXe0gtkVu3hcfiKAlzajgY4wgYswDAYD
    VR0TAQH/BAIwADAdBgNVHQ4EFgQU3h5qhLhIPOt237Vd8eOQwbvfE+8wHwYDVR0j
    BBgwFoAUUjMJjij4sWs69gudqBOvtB7t5LkwOwYDVR0RBDQwMoILYXNzZXRzLnRl
    c3SCCyoud2lsZC50ZXN0hwR/AAABhxAAAAAAAAAAAAAAAAAAAAABMAoGCCqGSM49
    BAMCA0kAMEYCIQCh7k92CTk/5F7Hpg/qp9FJxg0VegVRC3bpyoBjMP7wZAIhAIwu
    p5Vl60h0JEMXj9BnToStGAWyXJVGVDSX3cG84Mzx
    -----END CERTIFICATE-----
    """

  /// The same, ended in 2021.
  static let expired = """
    -----BEGIN CERTIFICATE-----
    MIIByDCCAW2gAwIBAgIUC1+asyaIQo4DYP7qXnloGI1MeSkwCgYIKoZIzj0EAwIw
    IDEeMBwGA1UEAwwVYXNzZXRkIHRlc3QgYXV0aG9yaXR5MB4XDTIwMDEwMTAwMDAw
    MFoXDTIxMDEwMTAwMDAwMFowFjEUMBIGA1UEAwwLYXNzZXRzLnRlc3QwWTATBgcq
    hkjOPQIBBggqhkjOPQMBBwNCAAQ8Te7SuFdqnO3PT9Tdt47ban9fBPiyMIov3Ccu
    MuWBo/keIPj6NqUrdt54H1PfLYKrK413tILZFbt4XH4igJc2o4GOMIGLMAwGA1Ud
    EwEB/wQCMAAwHQYDVR0OBBYEFN4eaoS4SDzrdt+1XfHjkMG73xPvMB8GA1UdIwQY
    MBaAFFIzCY4o+LFrOvYLnagTr7Qe7eS5MDsGA1UdEQQ0MDKCC2Fzc2V0cy50ZXN0
    ggsqLndpbGQudGVzdIcEfwAAAYcQAAAAAAAAAAAAAAAAAAAAATAKBggqhkjOPQQD
    AgNJADBGAiEA8p+ewxrSIofOa+peMGoAEYzwrmXwLk+/XDnmaLg4ckUCIQDcTZJZ
    m6VeI4CEmBalKg6Wy95Yq6hsTx3TUY7G2GOB2g==
    -----END CERTIFICATE-----
    """

  /// The same names, signed by its own key.
  static let selfSigned = """
    -----BEGIN CERTIFICATE-----
    MIIBvjCCAWWgAwIBAgIUaviITIy40aDI2XYCAHiNF0SqnqkwCgYIKoZIzj0EAwIw
    FjEUMBIGA1UEAwwLYXNzZXRzLnRlc3QwIBcNMjAwMTAxMDAwMDAwWhgPMjEyMDAx
    MDEwMDAwMDBaMBYxFDASBgNVBAMMC2Fzc2V0cy50ZXN0MFkwEwYHKoZIzj0CAQYI
    KoZIzj0DAQcDQgAEPE3u0rhXapztz0/U3beO22p/XwT4sjCKL9wnLjLlgaP5HiD4
    +jalK3beeB9T3y2CqyuNd7SC2RW7eFx+IoCXNqOBjjCBizAMBgNVHRMBAf8EAjAA
    MB0GA1UdDgQWBBTeHmqEuEg863bftV3x45DBu98T7zAfBgNVHSMEGDAWgBTeHmqE
    uEg863bftV3x45DBu98T7zA7BgNVHREENDAyggthc3NldHMudGVzdIILKi53aWxk
    LnRlc3SHBH8AAAGHEAAAAAAAAAAAAAAAAAAAAAEwCgYIKoZIzj0EAwIDRwAwRAIg
    b2XKe/W+TuBAXOoEDfff/N7HM2Dg93lxxGzhJ+V2N4wCIHenl1S2lOYSSh47+zC7
    /HS4fR2R9z1idqDvLtvsp+eg
    -----END CERTIFICATE-----
    """

  /// The same names, signed by an authority that nobody trusts.
  static let stranger = """
    -----BEGIN CERTIFICATE-----
    MIIByTCCAW6gAwIBAgIUTj6qG7jLKP+z+rt9agij9PzvMnMwCgYIKoZIzj0EAwIw
    HzEdMBsGA1UEAwwUYXNzZXRkIHRlc3Qgc3RyYW5nZXIwIBcNMjAwMTAxMDAwMDAw
    WhgPMjEyMDAxMDEwMDAwMDBaMBYxFDASBgNVBAMMC2Fzc2V0cy50ZXN0MFkwEwYH
    KoZIzj0CAQYIKoZIzj0DAQcDQgAEPE3u0rhXapztz0/U3beO22p/XwT4sjCKL9wn
    LjLlgaP5HiD4+jalK3beeB9T3y2CqyuNd7SC2RW7eFx+IoCXNqOBjjCBizAMBgNV
    HRMBAf8EAjAAMB0GA1UdDgQWBBTeHmqEuEg863bftV3x45DBu98T7zAfBgNVHSME
    GDAWgBRBb1+VsI6nL78r2U+IkPCMArbDYzA7BgNVHREENDAyggthc3NldHMudGVz
    dIILKi53aWxkLnRlc3SHBH8AAAGHEAAAAAAAAAAAAAAAAAAAAAEwCgYIKoZIzj0E
    AwIDSQAwRgIhAPZnT1NkZM+0SiHc8860VsvkXXvSS9leEC/EYGDQ29IFAiEA8puA
    Ufco0MJruD2Aexe2McRldpPf4godzGu3IGo3TZ8=
    -----END CERTIFICATE-----
    """

  /// The private key of every certificate but the authority's; it guards nothing.
  static let key = """
    -----BEGIN PRIVATE KEY-----
    MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgcHHrRYWqSKR4ndnQ
    l0bnl8BFPMJluz3scqadtlzGmzChRANCAAQ8Te7SuFdqnO3PT9Tdt47ban9fBPiy
    MIov3CcuMuWBo/keIPj6NqUrdt54H1PfLYKrK413tILZFbt4XH4igJc2
    -----END PRIVATE KEY-----
    """
}
