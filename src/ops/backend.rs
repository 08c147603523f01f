//! Where to compute: on the CPU, on the GPU, or on whichever is better here.

use std::str::FromStr;

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
            Self::Auto => Ok(found().ok().filter(|context| !context.is_software() && !context.is_lost())),
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
