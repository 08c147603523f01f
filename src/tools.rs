//! Pointer tools as small state machines: patient-space rays in, commands out.
