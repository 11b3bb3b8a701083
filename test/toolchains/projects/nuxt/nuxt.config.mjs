export default { telemetry: false, compatibilityDate: '2026-10-01' };
