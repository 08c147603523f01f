//! Where to compute: on the CPU, on the GPU, or on whichever is better here.

use std::str::FromStr;
use std::sync::OnceLock;

use crate::gpu::context::{Context, ContextError, LimitsRequest};

/// Where to compute.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Backend {
    /// On the CPU, with all its threads.
    Cpu,
    /// On the graphics device, be it a software driver.
    Gpu,
    /// On the graphics device if it is a real one, else on the CPU.
    #[default]
    Auto,
}

impl Backend {
    /// The names that the command line knows.
    pub const NAMES: [&'static str; 3] = ["cpu", "gpu", "auto"];

    /// The device to compute on, `None` for the CPU. `at_hand` is the device of the window, if there is one.
    ///
    /// # Errors
    /// When the GPU was asked for and there is no adapter or device.
    pub fn device(self, at_hand: Option<&Context>) -> Result<Option<Context>, ContextError> {
        let found = || at_hand.map_or_else(|| Context::headless(LimitsRequest::Adapter), |context| Ok(context.clone()));
        match self {
            Self::Cpu => Ok(None),
            Self::Gpu => found().map(Some),
            Self::Auto => {
                // Asking a driver takes long; a machine without a real device does not get one while the program runs.
                static HAS_NONE: OnceLock<()> = OnceLock::new();
                if at_hand.is_none() && HAS_NONE.get().is_some() {
                    return Ok(None);
                }
                let real = found().ok().filter(|context| !context.is_software() && !context.is_lost());
                if at_hand.is_none() && real.is_none() {
                    HAS_NONE.get_or_init(|| ());
                }
                Ok(real)
            }
        }
    }
}

impl FromStr for Backend {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        match name {
            "cpu" => Ok(Self::Cpu),
            "gpu" => Ok(Self::Gpu),
            "auto" => Ok(Self::Auto),
            other => Err(format!("'{other}' is no backend: cpu, gpu or auto")),
        }
    }
}
