using OpenGradient.Engine.Benchmarks;

return await TorchRun.MainAsync(args);
