using OpenGradient.Engine.Benchmarks.Settlement;
using OpenGradient.Engine.Benchmarks.Settlement.Soak;

return args is ["soak", .. var rest] ? await SoakRun.MainAsync(rest) : await SettlementRun.MainAsync(args);
