"""Names as people write them, all of them in NFC."""

NAMES = {
    "Japanese with a wide space": "森\u3000小春",
    "Sinhala with a joiner": "\u0dc1\u0dca\u200d\u0dbb\u0dd3 නුවන්",
    "Persian with a non-joiner": "\u0645\u06cc\u200c\u0644\u0627\u062f",
    "no-break space": "Zoë\u00a0K.",
    "emoji of several parts": "\U0001f469\u200d\U0001f680",
    "emoji of 2022": "\U0001fa77",
    "emoji of Unicode 17": "\U0001fac8",
    "Hebrew with a mark": "\u05d3\u05e0\u05d9\u200f!",
    "for private use": "\ue000",
}
