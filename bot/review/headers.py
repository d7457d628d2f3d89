"""What every page tells the browser to forbid: foreign scripts, frames, guessing of types, devices, caches."""

from collections.abc import Mapping

CONTENT_SECURITY_POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data:",
        "font-src 'self'",
        "media-src 'self' blob:",
        "connect-src 'self'",
        "worker-src 'self'",
        "manifest-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    )
)
_DEVICES = ("accelerometer", "camera", "display-capture", "geolocation", "gyroscope", "midi", "payment", "usb")
IMMUTABLE = "public, max-age=31536000, immutable"
PERSONAL = "no-store"

SECURITY: Mapping[str, str] = {
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}


def permissions_policy(*, microphone: bool) -> str:
    return ", ".join([f"microphone=({'self' if microphone else ''})", *(f"{device}=()" for device in _DEVICES)])
