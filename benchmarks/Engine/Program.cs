using OpenGradient.Engine.Benchmarks;

return await EngineRun.MainAsync(args);
