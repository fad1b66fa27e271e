// Answers of the upstream fixtures (all synthetic), with what they hold: per element of `data` the
// name of the image that its base64 decodes to, `~` for bytes that are none of them, `!` for what
// is no base64, or the text of its URL.

struct FixtureAnswer {
  let name: String
  let holds: [String]
  let text: String

  static let all: [FixtureAnswer] = openai + others + hostile

  static func image(_ name: String) -> String { FixtureImages.base64(name) }

  private static let openai = [
    FixtureAnswer(
      name: "openai/generations.success.json", holds: ["a.png"],
      text: #"""
        {
          "created": 1763683200,
          "background": "opaque",
          "data": [
            {
              "b64_json": "\#(image("a.png"))"
            }
          ],
          "output_format": "png",
          "quality": "low",
          "size": "1024x1024",
          "usage": {
            "input_tokens": 12,
            "input_tokens_details": {
              "image_tokens": 0,
              "text_tokens": 12
            },
            "output_tokens": 272,
            "output_tokens_details": {
              "image_tokens": 272,
              "text_tokens": 0
            },
            "total_tokens": 284
          }
        }
        """#),
    FixtureAnswer(
      name: "openai/generations.n3.success.json", holds: ["a.png", "b.png", "c.png"],
      text: #"""
        {
          "created": 1763683200,
          "background": "opaque",
          "data": [
            {
              "b64_json": "\#(image("a.png"))"
            },
            {
              "b64_json": "\#(image("b.png"))"
            },
            {
              "b64_json": "\#(image("c.png"))"
            }
          ],
          "output_format": "png",
          "quality": "low",
          "size": "1024x1024",
          "usage": {
            "input_tokens": 12,
            "input_tokens_details": {
              "image_tokens": 0,
              "text_tokens": 12
            },
            "output_tokens": 816,
            "output_tokens_details": {
              "image_tokens": 816,
              "text_tokens": 0
            },
            "total_tokens": 828
          }
        }
        """#),
    FixtureAnswer(
      name: "openai/generations.nulls.success.json", holds: ["a.png"],
      text: #"""
        {
          "created": 1763683200,
          "background": null,
          "data": [
            {
              "b64_json": "\#(image("a.png"))",
              "url": null,
              "revised_prompt": null
            }
          ],
          "output_format": null,
          "quality": null,
          "size": null,
          "usage": null,
          "unknown_future_field": {
            "x": [
              1
            ]
          }
        }
        """#),
    FixtureAnswer(
      name: "openai/generations.legacy-url.success.json",
      holds: [
        "https://upstream.invalid/files/a.png?"
          + "se=2025-11-22T00%3A00%3A00Z&sig=dGVzdA%3D%3D&sp=r&sr=b&sv=2024-11-04"
      ],
      text: #"""
        {
          "created": 1763683200,
          "data": [
            {
              "url": "https://upstream.invalid/files/a.png?se=2025-11-22T00%3A00%3A00Z&s\#
        ig=dGVzdA%3D%3D&sp=r&sr=b&sv=2024-11-04",
              "revised_prompt": "A plain red square drawn on a sheet of white paper"
            }
          ]
        }
        """#),
    FixtureAnswer(
      name: "openai/generations.webp-transparent.success.json", holds: ["a.webp"],
      text: #"""
        {
          "created": 1763683200,
          "background": "transparent",
          "data": [
            {
              "b64_json": "\#(image("a.webp"))"
            }
          ],
          "output_format": "webp",
          "quality": "medium",
          "size": "1024x1536",
          "usage": {
            "input_tokens": 20,
            "input_tokens_details": {
              "image_tokens": 0,
              "text_tokens": 20
            },
            "output_tokens": 1584,
            "output_tokens_details": {
              "image_tokens": 1584,
              "text_tokens": 0
            },
            "total_tokens": 1604
          }
        }
        """#),
    FixtureAnswer(
      name: "openai/edits.success.json", holds: ["c.png"],
      text: #"""
        {
          "created": 1763683200,
          "background": "opaque",
          "data": [
            {
              "b64_json": "\#(image("c.png"))"
            }
          ],
          "output_format": "png",
          "quality": "low",
          "size": "1024x1024",
          "usage": {
            "input_tokens": 332,
            "input_tokens_details": {
              "image_tokens": 323,
              "text_tokens": 9
            },
            "output_tokens": 272,
            "output_tokens_details": {
              "image_tokens": 272,
              "text_tokens": 0
            },
            "total_tokens": 604
          }
        }
        """#),
    FixtureAnswer(
      name: "openai/error.400.moderation_blocked.json", holds: [],
      text: #"""
        {
          "error": {
            "message": "Refused by the safety system (synthetic). Reference\#
         req_000000000000000000000000000000b1.",
            "type": "image_generation_user_error",
            "param": null,
            "code": "moderation_blocked",
            "moderation_details": {
              "moderation_stage": "input",
              "categories": [
                "violence"
              ]
            }
          }
        }
        """#),
  ]

  private static let others = [
    FixtureAnswer(
      name: "azure-openai/generations.success.json", holds: ["a.png"],
      text: #"""
        {
          "created": 1763683200,
          "background": "opaque",
          "data": [
            {
              "b64_json": "\#(image("a.png"))"
            }
          ],
          "output_format": "png",
          "quality": "medium",
          "size": "1024x1024",
          "usage": {
            "input_tokens": 12,
            "input_tokens_details": {
              "image_tokens": 0,
              "text_tokens": 12
            },
            "output_tokens": 1056,
            "output_tokens_details": {
              "image_tokens": 1056,
              "text_tokens": 0
            },
            "total_tokens": 1068
          }
        }
        """#),
    FixtureAnswer(
      name: "azure-openai/generations.dalle3-filter-results.success.json",
      holds: [
        "https://upstream.invalid/files/a.png?"
          + "se=2025-11-22T00%3A00%3A00Z&sig=dGVzdA%3D%3D&sp=r&sr=b&sv=2024-11-04"
      ],
      text: #"""
        {
          "created": 1763683200,
          "data": [
            {
              "content_filter_results": {
                "hate": {
                  "filtered": false,
                  "severity": "safe"
                },
                "self_harm": {
                  "filtered": false,
                  "severity": "safe"
                },
                "sexual": {
                  "filtered": false,
                  "severity": "safe"
                },
                "violence": {
                  "filtered": false,
                  "severity": "safe"
                }
              },
              "prompt_filter_results": {
                "hate": {
                  "filtered": false,
                  "severity": "safe"
                },
                "self_harm": {
                  "filtered": false,
                  "severity": "safe"
                },
                "sexual": {
                  "filtered": false,
                  "severity": "safe"
                },
                "violence": {
                  "filtered": false,
                  "severity": "safe"
                },
                "profanity": {
                  "detected": false,
                  "filtered": false
                },
                "custom_blocklists": {
                  "filtered": false,
                  "details": []
                }
              },
              "revised_prompt": "A plain red square on white paper",
              "url": "https://upstream.invalid/files/a.png?se=2025-11-22T00%3A00%3A00Z&s\#
        ig=dGVzdA%3D%3D&sp=r&sr=b&sv=2024-11-04"
            }
          ]
        }
        """#),
    FixtureAnswer(
      name: "apiyi/generations.data-url.success.json", holds: ["a.png"],
      text: #"""
        {
          "data": [
            {
              "b64_json": "data:image/png;base64,\#(image("a.png"))"
            }
          ],
          "created": 1763683200,
          "usage": {
            "input_tokens": 98,
            "output_tokens": 1185,
            "total_tokens": 1283
          }
        }
        """#),
    FixtureAnswer(
      name: "apiyi/generations.data-url-wrong-mime.success.json", holds: ["a.jpg"],
      text: #"""
        {
          "data": [
            {
              "b64_json": "data:image/png;base64,\#(image("a.jpg"))"
            }
          ],
          "created": 1763683200
        }
        """#),
    FixtureAnswer(
      name: "apiyi/generations.url.success.json", holds: ["https://upstream.invalid/files/a.png"],
      text: #"""
        {
          "data": [
            {
              "url": "https://upstream.invalid/files/a.png"
            }
          ],
          "created": 1763683200,
          "usage": {
            "input_tokens": 30,
            "output_tokens": 2074,
            "total_tokens": 2104
          }
        }
        """#),
    FixtureAnswer(
      name: "axonhub/generations.both.success.json", holds: ["a.png"],
      text: #"""
        {
          "created": 1763683200,
          "data": [
            {
              "b64_json": "\#(image("a.png"))",
              "url": "https://upstream.invalid/files/a.png",
              "revised_prompt": "a red square on white paper"
            }
          ]
        }
        """#),
  ]
}
